from __future__ import annotations

import pytest

from detector.sites import domain_of, host_of


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://www.linhe.example/news/1.html", "www.linhe.example"),
        ("HTTPS://News.Linhe.Example:8080/a", "news.linhe.example"),
        ("//img.linhe.example/a.png", "img.linhe.example"),
        ("http://user:word@linhe.example/", "linhe.example"),
        ("http://linhe.example", "linhe.example"),
        ("http://linhe.example.", "linhe.example"),
        ("http://linhe.example?to=//haibin.example/", "linhe.example"),
        ("http://linhe.example/@haibin.example", "linhe.example"),
        ("http://临河.example/水库", "临河.example"),
        ("http://10.2.0.7:81/", "10.2.0.7"),
        ("linhe.example/news", ""),
        ("/news/1.html", ""),
        ("mailto:editor@linhe.example", ""),
        ("http:///news", ""),
        ("", ""),
        (None, ""),
        ("http://[2001:db8::7]:80/", "[2001:db8::7]"),
        pytest.param(" http://linhe.example/\n", "linhe.example"),
    ],
)  # fmt: skip
def test_host(url: str | None, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("news.linhe.com.cn", "linhe.com.cn"),
        ("linhe.com.cn", "linhe.com.cn"),
        ("www.linhe.gov.cn", "linhe.gov.cn"),
        ("A.B.Linhe.COM", "linhe.com"),
        ("a.临河.中国", "临河.中国"),
        ("www.linhe.example", "linhe.example"),
        ("com.cn", "com.cn"),
        ("localhost", "localhost"),
        ("", ""),
        ("10.2.0.7", "10.2.0.7"),
        ("2001:db8::7", "2001:db8::7"),
    ],
)
def test_registered_domain(host: str, domain: str) -> None:
    assert domain_of(host) == domain
