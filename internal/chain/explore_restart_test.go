package chain_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A past is what happened in a group of ann, ben and cat before somebody starts
// the keys anew: whether cat has a second device there, whose AddDevice then is the
// first block; who signed the blocks at heights 1 to 3, which of them is a
// Restart (0: none), and whether ann's last one parks cat, or
// ben if cat has two devices: they are more than half then.
type past struct {
	two     bool
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
	for _, p := range list {
		if p.by[0] == "cat" && p.by[1] != "ben" {
			p.two = true
			list = append(list, p)
		}
	}
	return list
}

func (p past) play(t *testing.T) *group {
	g := ruleGroup(t)
	for i, name := range p.by {
		switch {
		case i == 0 && p.two:
			cat := g.person("cat")
			cat.second(t)
			op, papers := g.addDevice(cat, 1, false)
			g.commit(name, papers, op)
		case i+1 == p.restart:
			h, body, err := g.restarting(name, anew(chain.SuiteAES), nil)
			if err != nil {
				t.Fatal(err)
			}
			g.take(h, body)
		case i == 2 && p.parks:
			who := g.person(p.parked())
			g.commit(name, nil, &chain.Park{Person: who.id, Instance: g.instance(who.name), Device: who.device(0)})
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
// Restart stands, citing what each device says.
func (p past) mayStart(author string, suite uint16, says []int) bool {
	admin := author != "cat"
	nacks, active, persons, there := 0, len(p.devices()), map[string]bool{}, 3
	if p.parks {
		active, there = active-1, there-1
		if author == p.parked() {
			return false
		}
	}
	for i, name := range p.devices() {
		at := says[i]
		if at == silent {
			continue
		}
		nacks++
		persons[name] = true
		if at == fakes || at < p.restart || p.parks && name == p.parked() {
			return false
		}
		for height := max(at, p.restart); height <= 3; height++ {
			if i < 3 && p.author(height) == name {
				return false // it followed since, or made the block itself
			}
		}
	}
	if nacks == 0 {
		return admin
	}
	return 2*nacks > active && 2*len(persons) > there && (admin || suite == chain.SuiteAES)
}

func (p past) parked() string {
	if p.two {
		return "ben"
	}
	return "cat"
}

// devices names the owner of each; who signs blocks is the first three.
func (p past) devices() []string {
	if p.two {
		return append(slices.Clone(trio), "cat")
	}
	return trio
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
		said := g.everything(t, p.devices())
		words := 6 * 6 * 6
		if p.two {
			words *= 6
		}
		for n := range words {
			says := []int{n%6 - 1, n/6%6 - 1, n/36%6 - 1, n/216 - 1}[:len(p.devices())]
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

// everything returns what each device can say: Nacks of the blocks at
// heights 0 to 3, and a forged one of the last.
func (g *group) everything(t *testing.T, devices []string) (said [][5]*chain.Nack) {
	for i, name := range devices {
		var of [5]*chain.Nack
		for height := range uint64(4) {
			of[height] = g.nack(g.person(name), i/3, g.blocks.Ancestor(g.blocks.Head(), height))
		}
		last := *of[3]
		last.Signature[0] ^= 1
		of[fakes] = &last
		said = append(said, of)
	}
	if said[0][3].Block == (wire.BlockHash{}) || said[0][3].Block != g.blocks.Head() {
		t.Fatal(fmt.Errorf("not three blocks above genesis"))
	}
	return said
}
