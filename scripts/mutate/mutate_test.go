package main

import (
	"os"
	"path/filepath"
	"testing"
)

const sample = `package sample

import "errors"

var errRange = errors.New("out of range")

func check(n int) error {
	if n < 0 || n > 9 {
		return errRange
	}
	switch {
	case n == 5:
		return errors.New("five")
	}
	return nil
}

func small(n int) bool {
	if n > 3 {
		return false
	}
	return true
}
`

const sampleTest = `package sample

import "testing"

func TestCheck(t *testing.T) {
	t.Run("low", func(t *testing.T) {
		if check(-1) == nil {
			t.Error("-1 passes")
		}
	})
	if small(4) || check(3) != nil {
		t.Error("wrong")
	}
	for check(5) == nil {
	}
}
`

// TestMutate runs a package of four rules: one is missed by no test.
func TestMutate(t *testing.T) {
	dir, work := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"go.mod": "module sample\n\ngo 1.26\n", "sample.go": sample, "sample_test.go": sampleTest} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	rules, overlay, err := instrument(".", work)
	if err != nil {
		t.Fatal(err)
	}
	programs, err := build(work, overlay, []string{"."})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ condition, by string }{
		{"n < 0", "TestCheck/low"}, {"n > 9", ""}, {"n == 5", "it does not end"}, {"n > 3", "TestCheck"},
	}
	if len(rules) != len(want) {
		t.Fatalf("%d rules, want %d: %v", len(rules), len(want), rules)
	}
	if by := programs[0].run(0, "Nothing"); by != "" {
		t.Errorf("with all rules on %s fails", by)
	}
	*limit = 2e9
	for i, w := range want {
		if r := rules[i]; r.condition != w.condition {
			t.Errorf("rule %d is %q, want %q", i, r.condition, w.condition)
		} else if by := programs[0].run(r.number, "."); by != w.by {
			t.Errorf("without %q %q fails, want %q", r.condition, by, w.by)
		}
	}
}
