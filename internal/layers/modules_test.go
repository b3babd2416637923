package layers

import (
	"os"
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
