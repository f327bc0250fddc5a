#!/bin/sh
# Seen by maintainer scripts inside a run only (bound over /usr/sbin/policy-rc.d in the unit's own mount namespace).
# A service that ran before the run may be restarted by an upgrade; nothing new starts with a default configuration.
case $1 in --*) shift ;; esac
name=${1%.service}.service
grep -qxF "$name" /run/smtp-setup/active-services 2>/dev/null && exit 0
exit 101
