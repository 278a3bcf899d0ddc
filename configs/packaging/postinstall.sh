#!/bin/sh
# Makes the user and the directories. Starts nothing that was not running: a daemon
# that nobody configured has nothing to do.
set -e

user() {
	if getent passwd retentiond >/dev/null; then
		return
	fi
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers /usr/lib/sysusers.d/retentiond.conf
	fi
	if ! getent passwd retentiond >/dev/null; then
		getent group retentiond >/dev/null || groupadd --system retentiond
		useradd --system --gid retentiond --home-dir /var/lib/retentiond --no-create-home \
			--shell /usr/sbin/nologin --comment "Data retention daemon" retentiond
	fi
}

user
# The daemon reads its configuration and never writes it; secrets are root's alone.
chown root:retentiond /etc/retentiond /etc/retentiond/policies
chmod 0750 /etc/retentiond /etc/retentiond/policies
chown root:root /etc/retentiond/secrets
chmod 0700 /etc/retentiond/secrets
mkdir -p /var/lib/retentiond
chown retentiond:retentiond /var/lib/retentiond
chmod 0700 /var/lib/retentiond

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# An upgrade: the new binary takes over between batches.
	systemctl try-restart retentiond.service || true
fi
