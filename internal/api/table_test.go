package api_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"kith/internal/api"
	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/node"
	"kith/internal/store"
)

// reasons reads the constants of a type, most often Reason, of a package.
func reasons(t *testing.T, dir, named string) (list []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == named && len(spec.Values) == 1 {
				text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, text)
			}
			return true
		})
	}
	return list
}

// TestEveryReasonExplained reads the source of the packages that refuse.
func TestEveryReasonExplained(t *testing.T) {
	for dir, refuse := range map[string]func(string) error{
		"api":      func(r string) error { return &api.Error{Reason: api.Reason(r)} },
		"node":     func(r string) error { return &node.Error{Reason: node.Reason(r), Subject: "Ben\x1b[2J\nBen"} },
		"group":    func(r string) error { return &group.Refusal{Reason: group.Reason(r)} },
		"identity": func(r string) error { return &identity.InputError{Reason: identity.Reason(r)} },
	} {
		list := reasons(t, dir, "Reason")
		if len(list) < 13 {
			t.Errorf("%s: found %d reasons", dir, len(list))
		}
		for _, r := range list {
			x := api.Explain(fmt.Errorf("wrapped: %w", refuse(r)))
			checkExplanation(t, x, dir+"/"+r)
		}
	}
}

// TestChainFilesExplained is about what outsiders are told of a chain file.
func TestChainFilesExplained(t *testing.T) {
	list := reasons(t, "chain", "RecordReason")
	if len(list) < 4 {
		t.Errorf("found %d reasons", len(list))
	}
	for _, r := range list {
		checkExplanation(t, api.Explain(&chain.RecordError{Reason: chain.RecordReason(r)}), "chain/"+r)
	}
	checkExplanation(t, api.Explain(chain.ErrNewer), "chain/newer")
	x := api.Explain(&chain.RejectError{Rule: "V3", Reason: chain.ReasonSignature, Height: 7})
	checkExplanation(t, x, "chain/invalid")
	if !strings.Contains(x.Sentence, "height 7, rule V3: signature") {
		t.Errorf("no block named: %s", x.Sentence)
	}
}

// TestProofFilesExplained is about what outsiders are told of a proof of a member.
func TestProofFilesExplained(t *testing.T) {
	list := reasons(t, "chain", "StandingReason")
	if len(list) < 11 {
		t.Errorf("found %d reasons", len(list))
	}
	for _, r := range list {
		checkExplanation(t, api.Explain(&chain.StandingError{Reason: chain.StandingReason(r), Height: 7}), "proof/"+r)
	}
	x := api.Explain(&chain.TwiceError{Heights: [2]uint64{7, 9}})
	checkExplanation(t, x, "proof/twice")
	if !strings.Contains(x.Sentence, "block 7") {
		t.Errorf("no block named: %s", x.Sentence)
	}
}

func checkExplanation(t *testing.T, x api.Explanation, reason string) {
	t.Helper()
	line := x.String()
	switch {
	case x.Reason != reason:
		t.Errorf("%s has no row: %q", reason, line)
	case x.Sentence == "" || x.Hint == "":
		t.Errorf("%s lacks what or what to do: %q", reason, line)
	case strings.ContainsAny(line, "\n\x1b") || strings.Contains(line, "{}") || strings.Contains(line, "{n}"):
		t.Errorf("%s is not one plain line: %q", reason, line)
	case len(line) > 250:
		t.Errorf("%s is long: %q", reason, line)
	case x.Code == 0 || x.Code == connect.CodeUnknown || x.Code == connect.CodeInternal:
		t.Errorf("%s has code %v", reason, x.Code)
	}
}

// TestSentinelsExplained reads store's: all but those that are faults of ours.
func TestSentinelsExplained(t *testing.T) {
	ours := map[string]bool{"ErrReadOnly": true, "ErrNoKey": true, "ErrPlain": true}
	facts := map[string]error{
		"ErrInUse": store.ErrInUse, "ErrWrongKey": store.ErrWrongKey, "ErrDamaged": store.ErrDamaged, "ErrNewer": store.ErrNewer,
		"ErrFull": store.ErrFull, "ErrClosed": store.ErrClosed, "ErrRange": store.ErrRange, "ErrPermissions": store.ErrPermissions,
		"ErrKeyMissing": store.ErrKeyMissing, "ErrKeyFile": store.ErrKeyFile, "ErrWrongPassphrase": store.ErrWrongPassphrase,
		"ErrNoPassphrase": store.ErrNoPassphrase, "ErrSamePassphrase": store.ErrSamePassphrase, "ErrVault": store.ErrVault, "ErrNoVault": store.ErrNoVault,
		"ErrNoHome": store.ErrNoHome, "ErrWiped": store.ErrWiped,
	}
	file, err := parser.ParseFile(token.NewFileSet(), "../store/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range file.Decls {
		block, ok := object.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range block.Specs {
			value, ok := spec.(*ast.ValueSpec)
			if !ok || ours[value.Names[0].Name] {
				continue
			}
			fact := facts[value.Names[0].Name]
			if fact == nil {
				t.Errorf("store.%s is not in this test", value.Names[0].Name)
				continue
			}
			x := api.Explain(fmt.Errorf("node: %w", fact))
			checkExplanation(t, x, x.Reason)
			if !strings.HasPrefix(x.Reason, "store/") {
				t.Errorf("store.%s: %s", value.Names[0].Name, x.Reason)
			}
		}
	}
	checkExplanation(t, api.Explain(fmt.Errorf("link: port 1 %w", link.ErrPortTaken)), "link/port-taken")
	checkExplanation(t, api.Explain(&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrNotExist}), "file/none")
	checkExplanation(t, api.Explain(&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission}), "file/permission")
}

func TestExplainUnknown(t *testing.T) {
	x := api.Explain(fmt.Errorf("boom\nbang %s", strings.Repeat("x", 1000)))
	if x.Reason != "internal" || x.Code != connect.CodeInternal || !strings.Contains(x.Sentence, "boom bang") || len(x.String()) > 450 {
		t.Errorf("%+v", x)
	}
}
