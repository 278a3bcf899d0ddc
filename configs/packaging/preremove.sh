#!/bin/sh
# Before the last removal the daemon drains. An upgrade (deb: upgrade, rpm: 1) goes on.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now retentiond.service || true
	fi
	;;
esac
