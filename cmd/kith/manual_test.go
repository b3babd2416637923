package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	v1 "kith/proto/kith/v1"
)

// docs/user/cli.md names every verb with its flags, and every name that --json prints.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../../docs/user/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	verbs, _, _ := strings.Cut(string(page), "## Exit status")
	rows := make(map[string]string)
	for _, row := range regexp.MustCompile(`(?m)^\| ([A-Z]\w+) \| (.*) \|$`).FindAllStringSubmatch(string(page), -1) {
		if rows[row[1]] != "" {
			t.Errorf("%s is described twice", row[1])
		}
		rows[row[1]] = row[2]
	}

	var look func(c *cobra.Command)
	look = func(c *cobra.Command) {
		for _, below := range c.Commands() {
			look(below)
		}
		path, _ := strings.CutPrefix(c.CommandPath(), "kith ")
		if c.HasSubCommands() || strings.HasPrefix(path, "completion") || strings.HasPrefix(path, "help") {
			return
		}
		rows := regexp.MustCompile("(?m)^\\| .*`"+path+"[ `].*$").FindAllString(verbs, -1)
		if len(rows) == 0 {
			t.Errorf("the verb %s is missing", path)
			return
		}
		line := strings.Join(rows, "\n")
		for _, f := range regexp.MustCompile(`(?:-(\w), )?--([\w-]+)`).FindAllStringSubmatch(c.LocalNonPersistentFlags().FlagUsages(), -1) {
			if f[2] != "help" && !strings.Contains(line, "--"+f[2]) && (f[1] == "" || !strings.Contains(line, "-"+f[1])) {
				t.Errorf("the flag --%s of %s is missing", f[2], path)
			}
		}
	}
	look((&program{called: "kith"}).root())

	for name, m := range map[string]proto.Message{
		"Person": &v1.Person{}, "Node": &v1.Node{}, "Friend": &v1.Friend{}, "Chat": &v1.Chat{}, "Message": &v1.Message{}, "Found": &v1.Found{},
		"Version": &v1.Version{}, "Block": &v1.Block{}, "Settlement": &v1.Settlement{}, "Incident": &v1.Incident{}, "Delivery": &v1.Delivery{},
		"Settings": &v1.Settings{}, "History": &v1.History{}, "Earlier": &v1.Earlier{}, "Span": &v1.Span{}, "Poll": &v1.Poll{}, "Permitted": &v1.Permitted{},
		"Network": &v1.Network{}, "Path": &v1.Path{}, "Relaying": &v1.Relaying{}, "Mailbox": &v1.Mailbox{}, "Bundle": &v1.Bundle{}, "LockState": &v1.LockState{},
	} {
		fields := m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if f := string(fields.Get(i).Name()); !strings.Contains(rows[name], "`"+f+"`") {
				t.Errorf("%s: %s is missing", name, f)
			}
		}
	}
}
