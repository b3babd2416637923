package chain_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A breach is one way to break a rule: it returns the error of what it tried.
type breach struct {
	name   string
	rule   string
	reason chain.Reason
	try    func(*group) error
}

// ops drafts a block of name's on the head.
func ops(name string, list func(g *group) []chain.Op) func(*group) error {
	return func(g *group) error {
		_, _, err := chain.Draft(g.state(), g.params(g.person(name), list(g)...))
		return err
	}
}

func one(op func(g *group) chain.Op) func(*group) []chain.Op {
	return func(g *group) []chain.Op { return []chain.Op{op(g)} }
}

// start drafts a group's genesis by ann, after change.
func start(change func(*group, *chain.Genesis, *chain.DraftParams)) func(*group) error {
	return func(g *group) error {
		ann := g.person("ann")
		op := ann.genesis(chain.Policy{})
		d := chain.DraftParams{Suite: chain.SuiteAES, Author: ann.member(0), AuthorSeq: 1, Ops: []chain.Op{op}}
		change(g, op, &d)
		_, _, err := chain.Draft(nil, d)
		return err
	}
}

// forged checks a Rekey of ann's after change, signed by ann again.
func forged(change func(*chain.Header)) func(*group) error {
	return func(g *group) error {
		ann := g.person("ann")
		h, body := g.draft(g.state(), g.blocks.Head(), ann, nil, &chain.Rekey{})
		change(h)
		seal(h, body, ann.keys[0])
		_, err := g.blocks.Check(h, body)
		return err
	}
}

// papers checks a block of ann's that adds dan, after change of its body, which
// the header then names.
func papers(change func(*group, *chain.Add, *chain.Body)) func(*group) error {
	return func(g *group) error {
		dan := g.person("dan")
		return withBody(g, dan.add(chain.RoleMember, 1), bodyOf(false, dan.papers(1)...), change)
	}
}

func withBody(g *group, op *chain.Add, body *chain.Body, change func(*group, *chain.Add, *chain.Body)) error {
	change(g, op, body)
	h, _, err := chain.Draft(g.state(), g.params(g.person("ann"), op))
	if err != nil {
		return err
	}
	seal(h, body, g.person("ann").keys[0])
	_, err = g.blocks.Check(h, body)
	return err
}

// leaving checks a Leave of cat's committed by ann, after change of statement
// and op.
func leaving(change func(*group, *chain.LeaveStatement, *chain.Leave)) func(*group) error {
	return func(g *group) error {
		cat := g.person("cat")
		s := signLeave(g, cat, wire.PersonID{})
		op := &chain.Leave{Person: cat.id, Instance: g.instance("cat")}
		change(g, s, op)
		op.Cites = []wire.Digest{chain.Cite(s.Marshal())}
		h, _, err := chain.Draft(g.state(), g.params(g.person("ann"), op))
		if err != nil {
			return err
		}
		body := bodyOf(false, s.Marshal())
		seal(h, body, g.person("ann").keys[0])
		_, err = g.blocks.Check(h, body)
		return err
	}
}

func remove(name string) func(*group) chain.Op {
	return func(g *group) chain.Op {
		return &chain.Remove{Person: g.person(name).id, Instance: g.instance(name)}
	}
}

// The group of every breach: ann and ben are admins, cat is a member; dan and
// eve are strangers.
func ruleGroup(t testing.TB) *group { return newGroup(t, chain.Policy{}, "ann", "ben*", "cat") }

// named puts what a list of breaches is about in front of their names.
func named(what string, list []breach) []breach {
	list = slices.Clone(list)
	for i := range list {
		list[i].name = what + ": " + list[i].name
	}
	return list
}

func TestEveryRule(t *testing.T) {
	met := map[chain.Reason]bool{}
	for _, b := range slices.Concat(
		genesisBreaches, placeBreaches, authorityBreaches, opBreaches, bodyBreaches,
		named("AddDevice", addDeviceBreaches), named("RemoveDevice", removeDeviceBreaches), named("Park", parkBreaches),
		named("in a person's chain", personBreaches), named("Restart", restartBreaches),
		named("Carry", carryBreaches), named("Slash", slashBreaches), named("SetPolicy", policyBreaches),
	) {
		t.Run(b.rule+" "+b.name, func(t *testing.T) {
			g := ruleGroup(t)
			head, n := g.blocks.Head(), g.blocks.Len()
			rule, reason := refused(b.try(g))
			if rule != b.rule || reason != b.reason {
				t.Errorf("refused by %q %q, want %q %q", rule, reason, b.rule, b.reason)
			}
			if g.blocks.Head() != head || g.blocks.Len() != n {
				t.Error("a refusal changed something")
			}
			met[b.reason] = true
		})
	}
	for _, reason := range allReasons(t) {
		if !met[reason] {
			t.Errorf("no test for reason %q", reason)
		}
	}
}

// allReasons reads the Reason constants from errors.go.
func allReasons(t *testing.T) (all []chain.Reason) {
	f, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Type != nil {
			s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, chain.Reason(s))
		}
		return true
	})
	if len(all) < 30 {
		t.Fatalf("found only %d reasons", len(all))
	}
	return all
}

func TestMembersInvite(t *testing.T) {
	g := newGroup(t, chain.Policy{MembersInvite: true}, "ann", "cat")
	dan := g.person("dan")
	if _, _, err := chain.Draft(g.state(), g.params(g.person("cat"), dan.add(chain.RoleMember, 1))); err != nil {
		t.Error(err)
	}
	_, _, err := chain.Draft(g.state(), g.params(g.person("cat"), dan.add(chain.RoleAdmin, 1)))
	if _, reason := refused(err); reason != chain.ReasonRole {
		t.Errorf("a member adds an admin: %v", err)
	}
}

func TestRekeyQuota(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	for range 16 {
		g.commit("ann", nil, &chain.Rekey{})
	}
	_, _, err := chain.Draft(g.state(), g.params(g.person("ann"), &chain.Rekey{}))
	if rule, _ := refused(err); rule != "V7" {
		t.Fatalf("the 17th: %v", err)
	}
	// Two people make a window of 32 blocks, and ann's first stands at height 1.
	for i := range 16 {
		if _, _, err := chain.Draft(g.state(), g.params(g.person("ann"), &chain.Rekey{})); err == nil {
			t.Fatalf("a Rekey is allowed at height %d", g.state().Height()+1)
		}
		g.commit("ann", nil, &chain.SetInfo{Info: wire.Digest{byte(i + 1)}})
	}
	g.commit("ann", nil, &chain.Rekey{})
}

func TestNewer(t *testing.T) {
	g := ruleGroup(t)
	ann := g.person("ann")
	h, body := g.draft(g.state(), g.blocks.Head(), ann, nil, &chain.Rekey{})
	h.Ops, h.Class = []chain.Op{&chain.SetPolicy{Features: []uint16{9}}}, chain.ClassAdmin
	seal(h, body, ann.keys[0])
	if _, err := g.blocks.Check(h, body); !errors.Is(err, chain.ErrNewer) {
		t.Errorf("a feature: %v", err)
	}
	for name, change := range map[string]func(*group, *chain.Genesis, *chain.DraftParams){
		"feature": func(_ *group, op *chain.Genesis, _ *chain.DraftParams) { op.Features = []uint16{1, 2} },
		"suite":   func(_ *group, _ *chain.Genesis, d *chain.DraftParams) { d.Suite = 2 },
	} {
		if err := start(change)(g); !errors.Is(err, chain.ErrNewer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
