package layers

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestModulesWritten holds the list of modules in rules_test.go against the decision
// record that gives the reasons.
func TestModulesWritten(t *testing.T) {
	record, err := os.ReadFile(root + "/docs/adr/0002-modules.md")
	if err != nil {
		t.Fatal(err)
	}
	names := append([]string{}, thirdPartyTests...)
	for module := range thirdParty {
		names = append(names, module)
	}
	for _, module := range names {
		if !strings.Contains(string(record), "`"+module+"`") {
			t.Errorf("docs/adr/0002-modules.md gives no reason for %s", module)
		}
	}
}

// TestModulesUsed: a place that no longer imports a module loses the right to.
func TestModulesUsed(t *testing.T) {
	used := map[string]bool{} // module and place, or module alone where a test imports it
	for _, f := range readModule(t) {
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.code, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			for _, module := range thirdPartyTests {
				if path == module || strings.HasPrefix(path, module+"/") {
					used[module] = true
				}
			}
			for module, places := range thirdParty {
				for _, place := range places {
					if (path == module || strings.HasPrefix(path, module+"/")) && (f.path == place || strings.HasPrefix(f.path, place+"/")) {
						used[module+" "+place] = true
					}
				}
			}
		}
	}
	for _, module := range thirdPartyTests {
		if !used[module] {
			t.Errorf("no test imports %s; take it off the list and out of docs/adr/0002-modules.md", module)
		}
	}
	for module, places := range thirdParty {
		for _, place := range places {
			if !used[module+" "+place] {
				t.Errorf("%s does not import %s; take it off the list and out of docs/adr/0002-modules.md", place, module)
			}
		}
	}
}
