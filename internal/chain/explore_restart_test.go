package chain_test

import (
	"fmt"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A past is what happened in a group of ann, ben and cat before somebody starts
// the keys anew: who signed the blocks at heights 1 to 3, which of them is a
// Restart (0: none), and whether ann's last one parks cat.
type past struct {
	by      [3]string
	restart int
	parks   bool
}

var trio = []string{"ann", "ben", "cat"} // ann and ben are admins

// pasts are all of them.
func pasts() (list []past) {
	for _, a := range trio {
		for _, b := range trio {
			for _, c := range trio {
				p := past{by: [3]string{a, b, c}}
				list = append(list, p)
				if b != "cat" {
					p.restart = 2
					list = append(list, p)
				}
				if p.parks = c == "ann"; p.parks {
					list = append(list, p)
				}
			}
		}
	}
	return list
}

func (p past) play(t *testing.T) *group {
	g := ruleGroup(t)
	for i, name := range p.by {
		switch {
		case i+1 == p.restart:
			h, body, err := g.restarting(name, anew(chain.SuiteAES), nil)
			if err != nil {
				t.Fatal(err)
			}
			g.take(h, body)
		case i == 2 && p.parks:
			cat := g.person("cat")
			g.commit(name, nil, &chain.Park{Person: cat.id, Instance: g.instance("cat"), Device: cat.device(0)})
		default:
			g.commit(name, nil, &chain.Rekey{})
		}
	}
	return g
}

// What a device says of the past: nothing, a Nack of the block at a height, or
// one with a false signature of the newest.
const (
	silent = -1
	fakes  = 4
)

// mayStart is the rule as docs/spec/chain.md has it, from the words alone: whose
// Restart stands, citing what each of the three says.
func (p past) mayStart(author string, suite uint16, says [3]int) bool {
	admin := author != "cat"
	nacks, active := 0, 3
	if p.parks {
		active = 2
		if author == "cat" {
			return false
		}
	}
	for i, name := range trio {
		at := says[i]
		if at == silent {
			continue
		}
		nacks++
		if at == fakes || at < p.restart || p.parks && name == "cat" {
			return false
		}
		for height := max(at, p.restart); height <= 3; height++ {
			if p.author(height) == name {
				return false // it followed since, or made the block itself
			}
		}
	}
	if nacks == 0 {
		return admin
	}
	return 2*nacks > active && (admin || suite == chain.SuiteAES)
}

func (p past) author(height int) string {
	if height == 0 {
		return "ann"
	}
	return p.by[height-1]
}

// TestExploreRestart: every past, every author, everything that the devices can
// say. Who may start the keys anew is who the words of the specification let.
func TestExploreRestart(t *testing.T) {
	tried, allowed := 0, 0
	for _, p := range pasts() {
		g := p.play(t)
		said := g.everything(t)
		for n := range 6 * 6 * 6 {
			says := [3]int{n%6 - 1, n/6%6 - 1, n/36 - 1}
			var nacks []*chain.Nack
			for i, at := range says {
				if at != silent {
					nacks = append(nacks, said[i][at])
				}
			}
			for _, author := range trio {
				for _, suite := range []uint16{chain.SuiteAES, chain.SuiteXWing} {
					var cited []byte
					if len(nacks) > 0 {
						cited = together(nacks...)
					}
					_, _, err := g.restarting(author, anew(suite), cited)
					tried++
					if err == nil {
						allowed++
					}
					if want := p.mayStart(author, suite, says); want != (err == nil) {
						t.Fatalf("%+v: %s, suite %d, says %v: %v, want %v", p, author, suite, says, err, want)
					}
				}
			}
		}
	}
	t.Logf("%d Restarts after %d pasts, %d of them stand", tried, len(pasts()), allowed)
}

// everything returns what each of the three can say: Nacks of the blocks at
// heights 0 to 3, and a forged one of the last.
func (g *group) everything(t *testing.T) (said [3][5]*chain.Nack) {
	for i, name := range trio {
		for height := range uint64(4) {
			said[i][height] = g.nack(g.person(name), 0, g.blocks.Ancestor(g.blocks.Head(), height))
		}
		last := *said[i][3]
		last.Signature[0] ^= 1
		said[i][fakes] = &last
	}
	if said[0][3].Block == (wire.BlockHash{}) || said[0][3].Block != g.blocks.Head() {
		t.Fatal(fmt.Errorf("not three blocks above genesis"))
	}
	return said
}
