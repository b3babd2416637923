package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// many words: no upper bound.
const many = math.MaxInt

// words is the rule of a verb that takes least to most words.
func words(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return &usageError{"something is missing; usage: " + c.UseLine()}
		case len(args) > most:
			return &usageError{fmt.Sprintf("%q is too much; usage: %s", args[most], c.UseLine())}
		}
		for _, word := range args {
			if !utf8.ValidString(word) {
				return &usageError{fmt.Sprintf("%q is no UTF-8 text", word)}
			}
		}
		if name := emptyWord(c, args); name != "" {
			return &usageError{name + " is empty; usage: " + c.UseLine()}
		}
		return nil
	}
}

// emptyWord is the name, in the line that says how c is used, of a word that says nothing: in a script
// a variable that is empty. A text may have empty words between others. Empty: all say something.
func emptyWord(c *cobra.Command, args []string) string {
	names := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(c.Use))[1:]
	for i, word := range args {
		if strings.TrimSpace(word) != "" || len(names) == 0 {
			continue
		}
		name, more := strings.CutSuffix(names[min(i, len(names)-1)], "...")
		if more && name == "TEXT" && strings.TrimSpace(strings.Join(args[len(names)-1:], "")) != "" {
			continue
		}
		return name
	}
	return ""
}

// unknownVerb answers the program alone, and a word that is no verb.
func unknownVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	return &usageError{fmt.Sprintf("there is no verb %q; kith help lists them", args[0])}
}

// flagTrouble says what is wrong with a flag, and how the verb is used.
func flagTrouble(c *cobra.Command, err error) error {
	what, _, _ := strings.Cut(err.Error(), ": strconv.") // what follows says how a number is read
	return &usageError{what + "; usage: " + c.UseLine() + "; its flags: " + c.CommandPath() + " --help"}
}

// plainUse keeps "[flags]" out of the lines that say how verbs are used.
func plainUse(c *cobra.Command) {
	c.DisableFlagsInUseLine = true
	for _, verb := range c.Commands() {
		plainUse(verb)
	}
}

// parent is a verb that only holds others.
func parent(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short}
	c.AddCommand(verbs...)
	holdOnly(c)
	return c
}

// holdOnly makes it wrong usage to run c alone, or with a word that is none of
// its verbs.
func holdOnly(c *cobra.Command) {
	var names []string
	for _, verb := range c.Commands() {
		names = append(names, verb.Name())
	}
	list := strings.Join(names, ", ")
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return &usageError{fmt.Sprintf("kith %s needs one of: %s", c.Name(), list)}
		}
		return &usageError{fmt.Sprintf("kith %s knows no %q, but: %s", c.Name(), args[0], list)}
	}
}

// calledAs is how somebody starts this program again: by its name if that finds
// it, else by the path that was typed.
func calledAs() string {
	const name = "kith"
	own, err := os.Executable()
	if err != nil {
		return name
	}
	if found, err := exec.LookPath(name); err == nil && sameFile(found, own) {
		return name
	}
	return os.Args[0]
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// again is the command line of another verb on the same home.
func (p *program) again(verb string) string {
	line := p.called + " " + verb
	if p.elsewhere {
		line += " --home " + quoted(p.home)
	}
	return line
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t'\"\\$`!*?[]{}()<>|&;~#") {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
