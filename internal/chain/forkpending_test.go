package chain_test

import (
	"slices"
	"strings"
	"testing"

	"kith/internal/chain"
)

// What becomes of removals that lost. pending says in which blocks, and whom.
var losses = []struct {
	name    string
	people  string
	picture string
	does    map[string]string
	head    string
	pending string
}{
	{
		"of two removals the junior's is pending", "ann ben* cat dan", "G -> A | G -> B",
		map[string]string{"A": "ann removes cat", "B": "ben removes dan"},
		"A", "B dan",
	},
	{
		"both removed the same", "ann ben* cat", "G -> A | G -> B",
		map[string]string{"A": "ann removes cat", "B": "ben removes cat"},
		"A", "",
	},
	{
		"its author is struck", "ann ben* cat", "G -> A | G -> B",
		map[string]string{"A": "ann removes ben", "B": "ben removes cat"},
		"A", "",
	},
	{
		"its author is demoted", "ann ben* cat", "G -> A | G -> B",
		map[string]string{"A": "ann demotes ben", "B": "ben removes cat"},
		"A", "",
	},
	// I8: an accomplice's removal lost, and nobody carries it over.
	{
		"its author was no admin at the fork", "ann ben* cat", "G -> A | G -> X -> Y",
		map[string]string{"A": "ann retitles", "X": "ben admits eve", "Y": "eve removes cat"},
		"A", "",
	},
	{
		"its author left the admins since", "ann ben* cat dan", "G -> A -> C | G -> B",
		map[string]string{"A": "ann removes cat", "C": "ann demotes ben", "B": "ben removes dan"},
		"C", "",
	},
	// Eve was no admin at G, so she strikes nobody there.
	{
		"its author is one again", "ann ben* cat dan", "G -> A -> P -> C -> D | G -> B",
		map[string]string{
			"A": "ann removes cat", "P": "ann admits eve", "C": "eve demotes ben", "D": "ann promotes ben",
			"B": "ben removes dan",
		},
		"D", "",
	},
	{
		"its author is one again in one block", "ann ben* cat dan", "G -> A -> P -> C | G -> B",
		map[string]string{
			"A": "ann removes cat", "P": "ann admits eve", "C": "eve demotes ben, promotes ben", "B": "ben removes dan",
		},
		"C", "",
	},
	{
		"its author was let in again", "ann ben* cat dan", "G -> A -> P -> C -> D | G -> B",
		map[string]string{
			"A": "ann removes cat", "P": "ann admits eve", "C": "eve removes ben", "D": "ann admits ben",
			"B": "ben removes dan",
		},
		"D", "",
	},
	{
		"its author is another's first and one still", "ann ben* cat dan", "G -> A -> P -> C -> D | G -> B",
		map[string]string{
			"A": "ann removes cat", "P": "ann admits eve", "C": "ann demotes eve", "D": "ann promotes eve",
			"B": "ben removes dan",
		},
		"D", "B dan",
	},
	{
		"a later block stands on it", "ann ben* cat dan", "G -> A | G -> B -> C",
		map[string]string{"A": "ann removes cat", "B": "ben retitles", "C": "ben removes dan"},
		"A", "C dan",
	},
	{
		"it has been done again", "ann ben* cat dan", "G -> A -> C | G -> B",
		map[string]string{"A": "ann removes cat", "B": "ben removes dan", "C": "ann removes dan"},
		"C", "",
	},
	{
		"its target has come back since", "ann ben* cat dan", "G -> A -> C -> D | G -> B",
		map[string]string{"A": "ann removes cat", "B": "ben removes dan", "C": "ann removes dan", "D": "ann adds dan"},
		"D", "",
	},
	{
		"its target was added on both branches", "ann ben* cat", "G -> A -> C | G -> B -> D",
		map[string]string{"A": "ann removes cat", "C": "ann adds eve", "B": "ben adds eve", "D": "ben removes eve"},
		"C", "D eve",
	},
	{
		"its target was carried over and has come back", "ann ben* cat dan", "G -> B -> D | G -> A -> C -> K -> E",
		map[string]string{
			"A": "ann removes cat", "C": "ann adds eve", "B": "ben adds eve", "D": "ben removes eve",
			"K": "dan carries D", "E": "ann adds eve",
		},
		"E", "",
	},
	{
		"its target left and has come back", "ann ben* cat dan", "G -> B -> D | G -> A -> C -> K -> E",
		map[string]string{
			"A": "ann removes cat", "C": "ann adds eve", "B": "ben adds eve", "D": "ben removes eve",
			"K": "ann removes eve", "E": "ann adds eve",
		},
		"E", "",
	},
	{
		"it lost in a fork of its own branch", "ann ben* cat* dan eve", "G -> A | G -> B -> D | B -> E",
		map[string]string{"A": "ann removes dan", "B": "eve rekeys", "D": "ben removes eve", "E": "cat demotes ben"},
		"A", "D eve",
	},
	{
		"its author is struck where it lost alone", "ann ben* cat eve", "G -> A | G -> B -> C",
		map[string]string{"A": "ann removes eve", "B": "ben removes cat", "C": "ann removes ben"},
		"A", "B cat, C ben",
	},
	// Cat's removal of ann stands in a fork that lost, and takes A out.
	{
		"its author is struck by a junior", "ann ben* cat* dan eve", "G -> A | G -> B -> D | B -> E",
		map[string]string{"A": "ann removes dan", "B": "eve rekeys", "D": "ben removes eve", "E": "cat removes ann"},
		"D", "E ann",
	},
	{
		"a demotion is none", "ann ben* cat*", "G -> A | G -> B",
		map[string]string{"A": "ann retitles", "B": "ben demotes cat"},
		"A", "",
	},
	{
		"a revoked device's word", "zoe ann/2* ben* cat dan", "G -> A -> R | G -> X",
		map[string]string{"A": "ben removes dan", "R": "ann/2 revokes ann", "X": "ann removes cat"},
		"R", "",
	},
	{
		"unless it was kept", "zoe ann/2* ben* cat dan", "G -> Z | G -> X -> R",
		map[string]string{"Z": "zoe removes dan", "X": "ann removes cat", "R": "ann/2 revokes ann"},
		"Z", "X cat",
	},
	{
		"two forks", "ann ben* cat dan eve", "G -> A -> C | G -> B | A -> D",
		map[string]string{"A": "ann retitles", "B": "ben retitles", "C": "ann removes eve", "D": "ben removes dan"},
		"C", "D dan",
	},
}

func TestPending(t *testing.T) {
	for _, c := range losses {
		t.Run(c.name, func(t *testing.T) {
			for salt := range 4 {
				f := plant(t, salt, c.people)
				f.grow(c.picture, c.does)
				if got := f.head(); got != c.head {
					t.Fatalf("head %s, want %s", got, c.head)
				}
				list := chain.Pending(f.blocks["G"].Hash, f.all())
				for _, p := range list {
					m, _ := f.blocks[c.head].State.Person(p.Person)
					if m.Instance != p.Instance || p.Author != f.blocks[f.name(p.Block)].Header.Author.Person {
						t.Error("not the membership at the head, or not the author")
					}
				}
				if got := f.names(list); got != c.pending {
					t.Fatalf("salt %d: pending %q, want %q", salt, got, c.pending)
				}
			}
		})
	}
}

// names says in which blocks removals are pending, and of whom.
func (f *tree) names(list []chain.PendingRemoval) string {
	var names []string
	for _, p := range list {
		for name, who := range f.people {
			if who.id == p.Person {
				names = append(names, f.name(p.Block)+" "+name)
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func TestRestrained(t *testing.T) {
	f := plant(t, 0, "ann ben*")
	picture, does := "G", map[string]string{}
	names := strings.Split("ABCDEFHIJKLMNOPQ", "")
	for _, name := range names {
		picture, does[name] = picture+" -> "+name, "ann retitles"
	}
	f.grow(picture, does)
	for i, name := range names {
		if got, want := chain.Restrained(f.blocks["G"].State, f.blocks[name].State), i+1 >= chain.MaxUnsettled; got != want {
			t.Errorf("%d blocks beyond the settled one: restrained %v", i+1, got)
		}
	}
	for _, c := range []struct {
		ops  []chain.Op
		want bool
	}{
		{nil, false},
		{[]chain.Op{&chain.Rekey{}}, false},
		{[]chain.Op{&chain.SetInfo{}}, false},
		{[]chain.Op{&chain.Remove{}}, true},
		{[]chain.Op{&chain.Rekey{}, &chain.Remove{}}, true},
		{[]chain.Op{&chain.Unread{Number: chain.KindCarry}}, true},
		{[]chain.Op{&chain.Unread{Number: chain.KindCarry}, &chain.Rekey{}}, false},
	} {
		if got := chain.Pressing(c.ops); got != c.want {
			t.Errorf("%v: pressing %v", c.ops, got)
		}
	}
}
