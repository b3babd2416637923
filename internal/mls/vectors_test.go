package mls

// The vector tests look at every chapter from the inside, so they and what they
// need live in the package; all other tests are outside of it.

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
// checkout, and inside the module that interop/ pins.
var vectorDirs = sync.OnceValue(func() []string {
	dirs := []string{filepath.Join("..", "..", "..", "shared", "vectors", "mls")}
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

// vectors reads a vector file and says where it was.
func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	for _, dir := range vectorDirs() {
		for _, file := range []string{name + ".json", name + ".json.gz"} {
			b, err := readVector(filepath.Join(dir, file))
			if err != nil {
				continue
			}
			var cases []T
			if err := json.Unmarshal(b, &cases); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			t.Logf("%s: %d cases from %s", name, len(cases), dir)
			return cases
		}
	}
	t.Skipf("%s: the official vectors are neither at ../shared/vectors/mls nor in the module interop/ pins", name)
	return nil
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

// A tally counts what ran of a file and what was left out, by its reason.
type tally struct {
	ran  int
	left map[string]int
}

func (c *tally) leave(why string) {
	if c.left == nil {
		c.left = make(map[string]int)
	}
	c.left[why]++
}

func (c *tally) log(t *testing.T) {
	t.Helper()
	t.Logf("%d ran", c.ran)
	for why, n := range c.left {
		t.Logf("%d left to the next step: %s", n, why)
	}
}

// suiteOf returns the suite of a case, or nil after noting that it is not ours.
func (c *tally) suiteOf(id uint16) *crypto {
	k, err := Suite(id).crypto()
	if err != nil {
		c.leave("other cipher suites")
		return nil
	}
	c.ran++
	return k
}

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if string(got) != string(want) {
		t.Errorf("%s: got %x, want %x", what, got, want)
	}
}
