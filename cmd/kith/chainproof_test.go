package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// proofFile writes a file of docs/spec/vectors/standing.json, and returns its path.
func proofFile(t *testing.T, dir, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/spec/vectors/standing.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Shown []struct{ Name, File string }
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, c := range vectors.Shown {
		if c.Name != name {
			continue
		}
		b, err := hex.DecodeString(c.File)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "a.proof")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Fatalf("no proof %q", name)
	return ""
}

// verifyProof runs kith chain verify.
func verifyProof(t *testing.T, args ...string) (status int, out, trouble string) {
	t.Helper()
	var o, e bytes.Buffer
	p := &program{called: "kith", out: &o, err: &e}
	status = p.run(t.Context(), append([]string{"--home", "nowhere", "chain", "verify"}, args...))
	return status, o.String(), e.String()
}

// TestSettledTwice: a machine that kept one block is shown another of its height,
// settled by a voter of the past: both are shown, who voted for them, and what it
// keeps stays.
func TestSettledTwice(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	if status, out, trouble := verifyProof(t, proofFile(t, dir, "block 3, which makes ben the voter"), "--keep", kept); status != statusDone || !strings.Contains(out, "keeps block 3 from now on") {
		t.Fatal(status, out, trouble)
	}
	before, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	other := proofFile(t, dir, "another block 3, by ann alone")
	status, out, trouble := verifyProof(t, other, "--keep", kept)
	if status != statusFailed || strings.Count(out, "voted for both") != 2 || !strings.HasPrefix(out, "SETTLED TWICE: ") || strings.Contains(out, "holds") {
		t.Errorf("status %d, printed:\n%s", status, out)
	}
	if strings.Count(trouble, "\n") != 1 || !strings.HasPrefix(trouble, "kith: The group is settled twice") {
		t.Errorf("said %q", trouble)
	}
	status, out, _ = verifyProof(t, other, "--keep", kept, "--json")
	var said struct {
		Era   string
		Twice []struct {
			Height uint64
			Block  string
		} `json:"settled_twice"`
		Both []string
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil || status != statusFailed || len(said.Both) != 1 || len(said.Twice) != 2 || said.Twice[0].Height != 3 || said.Twice[1].Height != 3 || said.Twice[0].Block == said.Twice[1].Block {
		t.Errorf("status %d, %v:\n%s", status, err, out)
	}
	if now, err := os.ReadFile(kept); err != nil || !bytes.Equal(now, before) {
		t.Errorf("what was kept is not there any more: %v", err)
	}
}

// TestProofKept: what is kept goes on over the change of who votes, and no half of
// a file is left beside it.
func TestProofKept(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	for _, name := range []string{"genesis", "block 1", "block 2", "block 3, which makes ben the voter", "block 4"} {
		path := proofFile(t, dir, name)
		if status, out, trouble := verifyProof(t, path, "--keep", kept); status != statusDone {
			t.Fatal(name, out, trouble)
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(kept); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not kept: %v", name, err)
		}
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 2 {
		t.Errorf("%v, %d files", err, len(list))
	}
}
