package mls

// The vector tests look at every chapter from the inside, so they and what they
// need live in the package; all other tests are outside of it.

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A hexBytes is a byte string of a vector file.
type hexBytes []byte

func (h *hexBytes) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		return err
	}
	var err error
	*h, err = hex.DecodeString(*s)
	return err
}

// vectorDirs are the places of the official vectors, best first: beside the
// checkout or where MLS_VECTORS says, and inside the module that interop/ pins.
var vectorDirs = sync.OnceValue(func() []string {
	dirs := []string{filepath.Join("..", "..", "..", "shared", "vectors", "mls")}
	if other := os.Getenv("MLS_VECTORS"); other != "" {
		dirs[0] = other
	}
	if _, err := os.Stat(dirs[0]); err == nil {
		return dirs
	}
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/thomas-vilte/mls-go")
	list.Dir = filepath.Join("..", "..", "interop")
	list.Env = append(os.Environ(), "GOPROXY=off")
	if out, err := list.Output(); err == nil && len(strings.TrimSpace(string(out))) > 0 {
		dirs = append(dirs, filepath.Join(strings.TrimSpace(string(out)), "testdata", "mls-interop-testvectors", "test-vectors"))
	}
	return dirs
})

// vectorCases is how many cases each file has, by its README; vectorCurve448
// how many of them are of suites 4 and 6, which are refused.
var vectorCases = map[string]int{
	"tree-math": 10, "deserialization": 14, "crypto-basics": 7, "secret-tree": 21, "message-protection": 7,
	"key-schedule": 7, "psk_secret": 77, "transcript-hashes": 7, "welcome": 7, "tree-operations": 5,
	"tree-validation": 98, "treekem": 77, "messages": 300, "passive-client-welcome": 56,
	"passive-client-handling-commit": 91, "passive-client-random": 1,
}

var vectorCurve448 = map[string]int{
	"crypto-basics": 2, "secret-tree": 6, "message-protection": 2, "key-schedule": 2, "psk_secret": 22,
	"transcript-hashes": 2, "welcome": 2, "tree-validation": 28, "treekem": 22,
	"passive-client-welcome": 16, "passive-client-handling-commit": 26,
}

// vectors reads a vector file and says where it was. Beside the checkout, no
// file and no case may be missing.
func vectors[T any](t *testing.T, n *tally, name string) []T {
	t.Helper()
	for i, dir := range vectorDirs() {
		for _, file := range []string{name + ".json", name + ".json.gz"} {
			b, err := readVector(filepath.Join(dir, file))
			if err != nil {
				continue
			}
			var cases []T
			if err := json.Unmarshal(b, &cases); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			n.name, n.total, n.dir, n.complete = name, len(cases), dir, i == 0 && beside()
			return cases
		}
	}
	if beside() {
		t.Fatalf("%s: missing from %s", name, vectorDirs()[0])
	}
	t.Skipf("%s: the official vectors are neither at ../shared/vectors/mls nor in the module interop/ pins", name)
	return nil
}

// beside reports whether the vectors are beside the checkout.
func beside() bool {
	_, err := os.Stat(vectorDirs()[0])
	return err == nil
}

func readVector(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !strings.HasSuffix(path, ".gz") {
		return io.ReadAll(f)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// A tally counts what ran of a file for each suite, 0 where a case has none,
// and what was refused.
type tally struct {
	name, dir string
	total     int
	complete  bool // the file is the one its README describes
	ran       map[Suite]int
	refused   int
}

func (n *tally) count(s Suite) {
	if n.ran == nil {
		n.ran = make(map[Suite]int)
	}
	n.ran[s]++
}

// log prints the counts and fails if a case is missing.
func (n *tally) log(t *testing.T) {
	t.Helper()
	ran := 0
	for _, s := range slices.Sorted(maps.Keys(n.ran)) {
		ran += n.ran[s]
		if s == 0 {
			t.Logf("%s: %d of %d cases, from %s", n.name, n.ran[s], n.total, n.dir)
		} else {
			t.Logf("%s: suite %d: %d cases, from %s", n.name, s, n.ran[s], n.dir)
		}
	}
	if n.refused > 0 {
		t.Logf("%s: suites 4 and 6 (Curve448): %d cases refused", n.name, n.refused)
	}
	if !n.complete {
		return
	}
	if n.total != vectorCases[n.name] || n.refused != vectorCurve448[n.name] || ran+n.refused != n.total {
		t.Errorf("%s: %d cases, %d ran, %d refused; want %d and %d refused",
			n.name, n.total, ran, n.refused, vectorCases[n.name], vectorCurve448[n.name])
	}
}

// suiteOf returns the suite of a case, or nil after counting one that has to be
// refused.
func (n *tally) suiteOf(t *testing.T, id uint16) *crypto {
	t.Helper()
	k, err := Suite(id).crypto()
	if err == nil {
		n.count(Suite(id))
		return k
	}
	if !errors.Is(err, ErrCurve448) {
		t.Errorf("%s: suite %d: %v", n.name, id, err)
	}
	n.refused++
	return nil
}

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if string(got) != string(want) {
		t.Errorf("%s: got %x, want %x", what, got, want)
	}
}
