package chain_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"kith/internal/chain"
)

// TestEveryRuleIsNeeded switches each rule of the fork choice off in turn: some
// picture or some check of the explorer must fail then.
func TestEveryRuleIsNeeded(t *testing.T) {
	if len(chain.Switches) != chain.AllSwitches {
		t.Fatalf("%d switches are listed of %d", len(chain.Switches), chain.AllSwitches)
	}
	if broken := witnesses(t, ""); len(broken) > 0 {
		t.Fatalf("with all rules on, these fail: %q", broken)
	}
	for _, name := range slices.Sorted(maps.Keys(chain.Switches)) {
		broken := witnesses(t, name)
		if len(broken) == 0 {
			t.Errorf("%s: nothing fails", name)
			continue
		}
		t.Logf("%-14s %d fail: %s", name, len(broken), broken[0])
		for _, other := range broken[1:min(len(broken), 4)] {
			t.Logf("%-14s         %s", "", other)
		}
	}
}

// witnesses returns what fails with a switch set: the checks first, with the
// smallest set that breaks each, then the pictures, and what is pending in them.
func witnesses(t *testing.T, name string) (list []string) {
	for _, x := range []*explorer{newExplorer(t, 3, false, "rekeys admits removes demotes"), newExplorer(t, 4, false, "rekeys removes"), newDeviceExplorer(t, 3)} {
		x.head, x.pending = chain.HeadWith(name), chain.PendingWith(name)
		x.broken = func(check string, e *explorer) {
			list = append(list, check)
			e.checks = slices.DeleteFunc(slices.Clone(e.checks), func(c property) bool { return c.name == check })
		}
		x.walk()
	}
	slices.Sort(list)
	list = slices.Compact(list)
	for _, c := range allPictures() {
		for salt := range 4 {
			f := plant(t, salt, c.people)
			f.grow(c.picture, c.does)
			if f.name(chain.HeadWith(name)(f.blocks["G"].Hash, f.all())) != c.head {
				list = append(list, fmt.Sprintf("picture %q", c.name))
				break
			}
		}
	}
	for _, c := range losses {
		f := plant(t, 0, c.people)
		f.grow(c.picture, c.does)
		if f.names(chain.PendingWith(name)(f.blocks["G"].Hash, f.all())) != c.pending {
			list = append(list, fmt.Sprintf("pending %q", c.name))
		}
	}
	return list
}
