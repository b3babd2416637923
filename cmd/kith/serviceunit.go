package main

import (
	"fmt"
	"strings"
)

// A service is what a unit of systemd's is made of.
type service struct {
	program, home                    string // absolute paths
	listen, wss, web, passphraseFile string // as of run; may be empty
}

// unitMark is the first line of a unit that is ours; the home follows, as quotedUnit has it.
const unitMark = "# Made by kith service install for the home "

// unit is the text of systemd.unit(5). What would need a mount namespace (ProtectSystem
// and its like) is left out: a user's manager can make none where the system does not
// give users namespaces, and the service would not start there. The filters of system
// calls work without. Memory that is written and then run (MemoryDenyWriteExecute) is
// left, since the database's engine may be compiled at the start.
func (s service) unit() string {
	words := []string{quotedUnit(s.program), "run", "--home", variable(quotedUnit(s.home))}
	for _, f := range []struct{ name, value string }{{"--listen", s.listen}, {"--wss", s.wss}, {"--web", s.web}, {"--passphrase-file", s.passphraseFile}} {
		if f.value != "" {
			words = append(words, f.name, variable(quotedUnit(f.value)))
		}
	}
	return unitMark + quotedUnit(s.home) + `
[Unit]
Description=Kith, private groups that nobody else runs
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=exec
ExecStart=` + strings.Join(words, " ") + `
Restart=on-failure
RestartSec=10
# Wrong usage does not get better by trying again.
RestartPreventExitStatus=2
TimeoutStopSec=30
# What run prints has a login in it, which is for nobody's journal. Trouble goes there.
StandardOutput=null
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
`
}

// quotedUnit is a word as systemd.syntax(7) reads it, with % as it is meant.
func quotedUnit(word string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(word) + `"`
}

// variable keeps $ from naming one, which holds of arguments alone.
func variable(word string) string { return strings.ReplaceAll(word, "$", "$$") }

// unitHome is for which home a unit was made, as quotedUnit has it; false if it is not ours.
func unitHome(unit string) (string, bool) {
	first, _, _ := strings.Cut(unit, "\n")
	return strings.CutPrefix(first, unitMark)
}

// check refuses what no unit can say.
func (s service) check() error {
	for _, word := range []string{s.program, s.home, s.listen, s.wss, s.web, s.passphraseFile} {
		if strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return &usageError{fmt.Sprintf("%q has a control character in it, which the file of a service cannot hold", word)}
		}
	}
	return nil
}
