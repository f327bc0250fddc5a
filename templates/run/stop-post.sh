# Runs when the unit has ended, however it did (ExecStopPost). Argument: the run's tmpfs directory with its secrets.
# No "+" before the command in the unit: systemd 252 forgets such commands at the first daemon-reload, and package
# installations reload. So this runs inside the unit's mount namespace, where policy-rc.d is bound: unbound first, the
# empty file that systemd made to hold the mount can go.
rm -rf "${1:?}"
umount /usr/sbin/policy-rc.d 2>/dev/null
find /usr/sbin/policy-rc.d -type f -empty -delete 2>/dev/null
true
