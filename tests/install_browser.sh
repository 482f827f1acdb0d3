#!/usr/bin/env bash
# What the tests of the annotators' page need of a machine: Chromium, and a font without which all Chinese is boxes.
set -euo pipefail
needed=()
command -v chromium chromium-browser google-chrome >/dev/null || needed+=(chromium)
fc-list :lang=zh 2>/dev/null | grep -q . || needed+=(fonts-wqy-microhei)
[ ${#needed[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] && root=() || root=(sudo)
"${root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${needed[@]}" >/dev/null
