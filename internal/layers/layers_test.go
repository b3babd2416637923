package layers

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// source is one Go file of the module.
type source struct {
	dir  string // its package's folder, from the root, with slashes
	path string
	test bool
	code []byte
}

func TestLayers(t *testing.T) {
	files := readModule(t)
	if len(files) < 10 {
		t.Fatalf("found %d Go files below %s; the test looks in the wrong place", len(files), root)
	}
	for _, f := range files {
		for _, fault := range check(f) {
			t.Error(fault)
		}
	}
}

// TestRulesCatch feeds each rule a file that breaks it.
func TestRulesCatch(t *testing.T) {
	for _, c := range []struct{ name, path, code, want string }{
		{"upwards", "internal/chain/x.go", `import "kith/internal/group"`, "only lower rows"},
		{"sideways", "internal/mls/x.go", `import "kith/internal/dag"`, "only lower rows"},
		{"network in the core", "internal/group/x.go", `import "net"`, "does no I/O"},
		{"below net", "internal/group/x.go", `import "net/netip"`, "does no I/O"},
		{"lock in the core", "internal/dag/x.go", `import "sync"`, "second owner"},
		{"atomics in the core", "internal/dag/x.go", `import "sync/atomic"`, "second owner"},
		{"randomness", "internal/mls/x.go", `import "crypto/rand"`, "wire.Random"},
		{"clock", "internal/group/x.go", "import \"time\"\nvar x = time.Now()", "time.Now"},
		{"clock under another name", "internal/group/x.go", "import t \"time\"\nvar x = t.After", "time.After"},
		{"dot import of time", "internal/group/x.go", `import . "time"`, "dot"},
		{"goroutine", "internal/chain/x.go", "func f() { go f() }", "starts a goroutine"},
		{"module elsewhere", "internal/node/x.go", `import "github.com/ncruces/go-sqlite3/driver"`, "0002-modules.md"},
		{"module in another file", "internal/wire/x.go", `import "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"`, "0002-modules.md"},
		{"unknown module", "internal/node/x.go", `import "example.com/x"`, "0002-modules.md"},
		{"test module in a program", "internal/node/x.go", `import "github.com/rogpeppe/go-internal/testscript"`, "0002-modules.md"},
		{"unknown package", "internal/surprise/x.go", "", "no row"},
		{"empty name", "internal/store/util/x.go", "", "says nothing"},
		{"leaf in a room", "internal/node/x.go", `import "kith/proto/kith/v1"`, "imported by"},
		{"leaf imports a room", "web/x.go", `import "kith/internal/wire"`, "only lower rows"},
		{"long file", "internal/wire/x.go", strings.Repeat("\n", maxLines+1), "lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			faults := check(newSource(c.path, []byte("package x\n"+c.code+"\n")))
			if !strings.Contains(strings.Join(faults, "\n"), c.want) {
				t.Errorf("faults %q, want one with %q", faults, c.want)
			}
		})
	}
}

// TestRulesPass feeds files that keep the rules.
func TestRulesPass(t *testing.T) {
	for _, c := range []struct{ path, code string }{
		{"internal/group/x.go", "import (\n\"time\"\n\"kith/internal/mls\"\n)\nvar x time.Duration"},
		{"internal/wire/random.go", `import "crypto/rand"`},
		{"internal/dag/x_test.go", "import (\n\"os\"\n\"github.com/rogpeppe/go-internal/testscript\"\n)"},
		{"internal/store/x.go", `import "github.com/ncruces/go-sqlite3/driver"`},
		{"cmd/kith/x.go", `import "kith/internal/node"`},
	} {
		if faults := check(newSource(c.path, []byte("package x\n"+c.code+"\n"))); len(faults) > 0 {
			t.Errorf("%s: %q", c.path, faults)
		}
	}
}

func newSource(path string, code []byte) source {
	return source{dir: filepath.ToSlash(filepath.Dir(path)), path: path, test: strings.HasSuffix(path, "_test.go"), code: code}
}

// readModule returns every Go file of this module; folders with a go.mod of
// their own are other modules.
func readModule(t *testing.T) []source {
	t.Helper()
	var files []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel == "." {
				return nil
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		code, err := os.ReadFile(path)
		files = append(files, newSource(filepath.ToSlash(rel), code))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// check returns a sentence for each rule that f breaks.
func check(f source) []string {
	var faults []string
	fault := func(format string, args ...any) {
		faults = append(faults, f.path+": "+fmt.Sprintf(format, args...))
	}
	for name := range strings.SplitSeq(f.dir, "/") {
		if bannedNames[name] {
			fault("the name %q says nothing about what the package does", name)
		}
	}
	row, isRoom := rank[f.dir]
	if _, isBeside := beside[f.dir]; !isRoom && !isBeside {
		fault("package %s has no row in internal/layers/rules_test.go and ARCHITECTURE.md; give it one", f.dir)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.code, parser.SkipObjectResolution)
	if err != nil {
		fault("%v", err)
		return faults
	}
	if lines := bytes.Count(f.code, []byte("\n")); lines > maxLines && !ast.IsGenerated(withComments(f)) {
		fault("%d lines; over %d a file is hard to hold in the head: split it by what its parts do", lines, maxLines)
	}
	for _, spec := range parsed.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		faults = append(faults, checkImport(f, path)...)
		if path == "time" && spec.Name != nil && spec.Name.Name == "." && isRoom && row < purityLine && !f.test {
			fault("imports time with a dot, which hides the clock from this test")
		}
	}
	if isRoom && row < purityLine && !f.test {
		faults = append(faults, checkPure(f, parsed)...)
	}
	return faults
}

func withComments(f source) *ast.File {
	parsed, _ := parser.ParseFile(token.NewFileSet(), f.path, f.code, parser.ParseComments|parser.PackageClauseOnly)
	return parsed
}

// checkImport holds one import against the table, the core's list and the list
// of modules.
func checkImport(f source, path string) []string {
	row, isRoom := rank[f.dir]
	var faults []string
	fault := func(format string, args ...any) {
		faults = append(faults, f.path+" imports "+path+": "+fmt.Sprintf(format, args...))
	}
	ours, isOurs := strings.CutPrefix(path, "kith/")
	switch {
	case isOurs:
		if f.test && !isRoom {
			return nil
		}
		if at := leaves[ours]; at != nil {
			if !slices.Contains(at, f.dir) && !strings.HasPrefix(f.dir, "proto/") && !f.test {
				fault("this leaf is imported by %s alone, so that the rest stands without it", strings.Join(at, " and "))
			}
			return faults
		}
		limit := row
		if !isRoom {
			limit = beside[f.dir] + 1
		}
		if f.test {
			return nil // a black-box test may look down on any room, and the compiler refuses cycles
		}
		if to, ok := rank[ours]; !ok || to >= limit {
			fault("a package imports only lower rows of ARCHITECTURE.md, never its own; move what both need down, or pass it in")
		}
	case !strings.Contains(strings.SplitN(path, "/", 2)[0], "."):
		if isRoom && row < purityLine && !f.test {
			if why := forbidden(path); why != "" && coreExceptions[path] != f.path {
				fault("%s", why)
			}
		}
	default:
		if !allowed(f, path) {
			fault("docs/adr/0002-modules.md does not let %s import this module; one package answers for each", f.dir)
		}
	}
	return faults
}

// forbidden returns why the core must not import a standard package, or "".
func forbidden(path string) string {
	for ; path != "."; path = filepath.ToSlash(filepath.Dir(path)) {
		if why := notInCore[path]; why != "" {
			return why
		}
	}
	return ""
}

// allowed reports whether f may import path of a module that is not ours.
func allowed(f source, path string) bool {
	within := func(module string) bool { return path == module || strings.HasPrefix(path, module+"/") }
	if f.test && slices.ContainsFunc(thirdPartyTests, within) {
		return true
	}
	for module, places := range thirdParty {
		if within(module) {
			return f.test || slices.ContainsFunc(places, func(place string) bool {
				return place == f.path || place == f.dir || strings.HasPrefix(f.dir, place+"/")
			})
		}
	}
	return false
}

// checkPure finds clocks and goroutines in a file of the core.
func checkPure(f source, parsed *ast.File) []string {
	clock := ""
	for _, spec := range parsed.Imports {
		if spec.Path.Value == `"time"` {
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
		}
	}
	var faults []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			faults = append(faults, f.path+": starts a goroutine; the core is stepped by the one that owns it")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && clock != "" && x.Name == clock && notFromTime[n.Sel.Name] {
				faults = append(faults, fmt.Sprintf("%s: uses time.%s; time enters the core as an argument", f.path, n.Sel.Name))
			}
		}
		return true
	})
	return faults
}
