//go:build linux

package main

import (
	"regexp"
	"testing"
)

// wayTo is how one is connected with the other, as kith network says.
func wayTo(m *machine, other string) string {
	for _, line := range regexp.MustCompile(`(?m)^.*$`).FindAllString(m.kith("network"), -1) {
		if regexp.MustCompile(`^` + other + ` is connected`).MatchString(line) {
			return line
		}
	}
	return ""
}

// TestTwoHomes: two behind routers of their own meet by a contact link that names no place where
// the other could be reached.
func TestTwoHomes(t *testing.T) {
	n := newInternet(t, 24)
	ann, ben := n.home("Ann", natPort), n.home("Ben", natPort)
	ann.on()
	ben.on()
	ben.befriend(ann.person)
	ann.kith("send", "Ben", "Are you there?")
	ben.until("Are you there", "tail", "Ann")
	t.Log(wayTo(ann, "Ben"))
	t.Log(ann.kith("network"))
}
