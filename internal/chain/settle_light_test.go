package chain

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"kith/internal/wire"
)

// These tests stand inside the package: they look at eras and take rules away.

// A scene is a tree of blocks drawn as text, "G -> a1 -> a2 | G -> b1", whose
// states hold an electorate and little else. Persons are numbers. A part "e:012"
// names the block e and the voters after it.
type scene struct {
	blocks *Blocks
	by     map[string]*node
	names  map[*node]string
	order  []string
}

const scenePeople = 8

var sceneKeys = func() (keys [scenePeople]ed25519.PrivateKey) {
	for i := range keys {
		seed := sha256.Sum256(fmt.Appendf(nil, "voter %d", i))
		keys[i] = ed25519.NewKeyFromSeed(seed[:])
	}
	return keys
}()

func scenePerson(i int) wire.PersonID { return wire.PersonID{byte(i + 1)} }
func sceneDevice(i int) wire.DeviceID {
	return wire.Device(sceneKeys[i].Public().(ed25519.PublicKey))
}

// sceneState is that of a group of all persons, the first of them its admin.
var sceneState = func() *State {
	s := new(State)
	for i := range scenePeople {
		m := Member{Person: scenePerson(i), Rank: NoRank, Join: uint32(i)}
		if i == 0 {
			m.Role, m.Rank = RoleAdmin, 0
		}
		m.Devices = []Device{{ID: sceneDevice(i), Key: [32]byte(sceneKeys[i].Public().(ed25519.PublicKey))}}
		s.records = append(s.records, newRecord(m))
		s.devices = s.devices.put(&activity{device: sceneDevice(i), person: m.Person}, 0)
	}
	return s
}()

func electorate(digits string) (list []wire.PersonID) {
	for _, c := range digits {
		list = append(list, scenePerson(int(c-'0')))
	}
	return list
}

// play draws a scene.
func play(picture string) *scene {
	s := &scene{blocks: NewBlocks(), by: map[string]*node{}, names: map[*node]string{}}
	for path := range strings.SplitSeq(picture, "|") {
		var parent *node
		for part := range strings.SplitSeq(path, "->") {
			name, digits, changes := strings.Cut(strings.TrimSpace(part), ":")
			if s.by[name] == nil {
				s.add(name, parent, digits, changes)
			}
			parent = s.by[name]
		}
	}
	return s
}

func (s *scene) add(name string, parent *node, digits string, changes bool) {
	state := *sceneState
	h := &Header{Version: HeaderVersion, SigAlg: wire.SigEd25519, CreatedAt: uint64(len(s.order))}
	h.Author = wire.Member{Person: scenePerson(len(s.order) % scenePeople), Device: sceneDevice(len(s.order) % scenePeople)}
	if parent != nil {
		state = *parent.State
		state.height++
		h.Group, h.Parent, h.Height = wire.GroupID(s.blocks.Genesis()), parent.Hash, state.height
	}
	if changes {
		state.electorate = electorate(digits)
	}
	if err := s.blocks.Add(h, nil, &state); err != nil {
		panic(err)
	}
	n := s.blocks.by[h.Hash()]
	s.by[name], s.names[n], s.order = n, name, append(s.order, name)
}

// only returns the blocks named and their ancestors alone.
func (s *scene) only(names ...string) *Blocks {
	b := NewBlocks()
	var add func(n *node)
	add = func(n *node) {
		if n == nil || b.Has(n.Hash) {
			return
		}
		add(n.parent)
		if err := b.Add(n.Header, nil, n.State); err != nil {
			panic(err)
		}
	}
	for _, name := range names {
		add(s.by[name])
	}
	return b
}

func (s *scene) name(hash wire.BlockHash) string { return s.names[s.blocks.by[hash]] }

// vote makes a vote from its sentence: "2 votes b1 in 3 from a1 of 2". Without
// "from" the source is the start of the era, "era e" names another than G.
func (s *scene) vote(sentence string) *Vote {
	var voter int
	var block, source, era string
	v := &Vote{Group: wire.GroupID(s.blocks.Genesis())}
	sentence, era, other := strings.Cut(sentence, " era ")
	if !other {
		era = "G"
	}
	source = era
	if n, _ := fmt.Sscanf(sentence, "%d votes %s in %d from %s of %d", &voter, &block, &v.Round, &source, &v.Source.Round); n < 3 {
		panic("no such vote: " + sentence)
	}
	v.Device, v.Seq = sceneDevice(voter), max(1, v.Round)
	v.Era, v.Block, v.Source.Block = s.by[era].Hash, s.by[block].Hash, s.by[source].Hash
	return v
}

// signed is vote with its signature.
func (s *scene) signed(sentence string) *Vote {
	v := s.vote(sentence)
	return sealVote(v)
}

func sealVote(v *Vote) *Vote {
	for _, key := range sceneKeys {
		if wire.Device(key.Public().(ed25519.PublicKey)) == v.Device {
			v.Seal(func(l wire.Label, b []byte) []byte { return wire.Sign(key, l, b) })
		}
	}
	return v
}

// several makes the votes of lines like "012 vote a1 in 1".
func (s *scene) several(lines ...string) (list []*Vote) {
	for _, line := range lines {
		who, rest, _ := strings.Cut(line, " vote ")
		for _, c := range who {
			list = append(list, s.signed(fmt.Sprintf("%c votes %s", c, rest)))
		}
	}
	return list
}

// offer adds votes again and again until nothing more is taken, and returns the
// first refusal for ever.
func offer(v *Votes, votes []*Vote) error {
	for changed := true; changed; {
		changed = false
		for _, vote := range votes {
			ok, err := v.Add(vote)
			switch err.(type) {
			case nil, *MissingError, *EarlyError:
			default:
				return err
			}
			changed = changed || ok
		}
	}
	return nil
}

func mustOffer(t testing.TB, v *Votes, votes ...*Vote) {
	t.Helper()
	if err := offer(v, votes); err != nil {
		t.Fatal(err)
	}
}
