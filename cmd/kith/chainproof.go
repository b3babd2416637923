package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kith/internal/api"
	"kith/internal/chain"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

func (p *program) chainProof() *cobra.Command {
	var out string
	var since uint64
	c := &cobra.Command{
		Use:               "proof GROUP PERSON [-o FILE] [--since NUMBER]",
		Short:             "Write what is settled of one person's membership into a small file that anybody can check",
		Args:              words(2, 2),
		ValidArgsFunction: p.completeChatThenPerson,
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the `FILE`; else PERSON.proof, by the beginning of their id")
	c.Flags().Uint64Var(&since, "since", 0, "for who keeps the settled block of that `NUMBER`: show that what is settled now descends from it")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !c.Flags().Changed("since") {
			since = math.MaxUint64
		}
		made, ended, err := p.prove(c.Context(), args[0], args[1], since)
		if err != nil {
			return err
		}
		shown, err := made.Verify()
		if err != nil {
			return err
		}
		if out == "" {
			out = short(shown.Member.Person.String()) + ".proof"
		}
		file := made.Marshal()
		if err := writeNew(out, file); err != nil {
			return err
		}
		if p.showValue(proved{File: out, Bytes: len(file), Person: shown.Member.Person.String(), SettledHeight: shown.Settled.Height}) {
			return nil
		}
		p.printf("Wrote %s: what block %d, the last that is settled, says of %s.", oneLine(out), shown.Settled.Height, oneLine(args[1]))
		if c.Flags().Changed("since") && since > shown.Settled.Height {
			p.printf("Block %d is not settled yet: the file shows no way from there.", since)
		}
		if ended > shown.Settled.Height && shown.Member.Status != chain.StatusRemoved {
			p.printf("%s is no member any more: block %d, which is not settled yet, ended that. A proof says what is settled.", oneLine(args[1]), ended)
		}
		p.printf("Anybody checks it with: kith chain verify %s", quoted(oneLine(out)))
		return nil
	}
	return c
}

type proved struct {
	File          string `json:"file"`
	Bytes         int    `json:"bytes"`
	Person        string `json:"person"`
	SettledHeight uint64 `json:"settled_height"`
}

// prove makes the proof of a member from the chain that the node exports, and says which
// block ended the membership that the newest one knows; zero: none.
func (p *program) prove(ctx context.Context, group, ref string, since uint64) (made *chain.Standing, ended uint64, err error) {
	answer, err := call(ctx, p.client().ExportChain, &v1.ExportChainRequest{Group: group})
	if err != nil {
		return nil, 0, err
	}
	list, err := call(ctx, p.client().ListBlocks, &v1.ListBlocksRequest{Group: group})
	if err != nil {
		return nil, 0, err
	}
	r, err := chain.ParseRecord(answer.File)
	if err != nil {
		return nil, 0, err
	}
	v, err := r.Verify()
	if err != nil {
		return nil, 0, err
	}
	who, err := pick(v.Blocks.State(v.Head).Everyone(), namesIn(list.Blocks), ref)
	if err != nil {
		return nil, 0, err
	}
	made, err = chain.NewStanding(v.Blocks, r.Settlement, who, since)
	return made, endOf(v.Blocks, v.Head, who), err
}

// namesIn are the names of all whom blocks are of or about, former members too, by id.
func namesIn(blocks []*v1.Block) map[string]string {
	names := make(map[string]string)
	note := func(p *v1.Person) {
		if p.GetName() != "" {
			names[p.Id] = p.Name
		}
	}
	for _, b := range blocks {
		note(b.Author)
		for _, c := range b.Changes {
			note(c.Subject)
		}
	}
	return names
}

// endOf returns the height of the block that ended somebody's last membership; zero if
// they are a member at the head.
func endOf(blocks *chain.Blocks, head wire.BlockHash, who wire.PersonID) (height uint64) {
	for at := head; ; at = blocks.Header(at).Parent {
		m, known := blocks.State(at).Person(who)
		if !known || m.Status != chain.StatusRemoved {
			return height
		}
		if height = blocks.Header(at).Height; height == 0 {
			return 0
		}
	}
}

// pick finds somebody who is or was in a group, as the node does: by a unique name,
// the id or its beginning.
func pick(everyone []chain.Member, names map[string]string, ref string) (wire.PersonID, error) {
	var found []wire.PersonID
	for _, m := range everyone {
		switch id := m.Person.String(); {
		case id == strings.ToLower(ref):
			return m.Person, nil
		case names[id] != "" && strings.EqualFold(names[id], ref), len(ref) >= 4 && strings.HasPrefix(id, strings.ToLower(ref)):
			found = append(found, m.Person)
		}
	}
	switch len(found) {
	case 0:
		return wire.PersonID{}, &node.Error{Reason: node.ReasonUnknown, Subject: ref}
	case 1:
		return found[0], nil
	}
	return wire.PersonID{}, &node.Error{Reason: node.ReasonAmbiguous, Subject: ref}
}

// proofFindings are what a proof of a member shows; the names are those of --json.
type proofFindings struct {
	Group         string      `json:"group"`
	Settled       string      `json:"settled"`
	SettledHeight uint64      `json:"settled_height"`
	SettledAt     uint64      `json:"settled_at"`
	StateRoot     string      `json:"state_root"`
	Settlement    []settling  `json:"settlement"`
	Person        memberState `json:"person"`
	Kept          string      `json:"kept"`       // file that keeps it from now on; empty: none
	KeptBefore    *uint64     `json:"kept_since"` // height of what was kept before; null: it is believed from the first block on
}

type memberState struct {
	ID       string        `json:"id"`
	Instance string        `json:"instance"`
	Member   bool          `json:"member"`
	Admin    bool          `json:"admin"`
	Devices  []deviceState `json:"devices"`
}

type deviceState struct {
	ID    string `json:"id"`
	Key   string `json:"key"`
	State string `json:"state"` // active, parked, removed, revoked
}

// checkStanding checks a proof of a member, against what keep holds if that is
// given, and keeps it there.
func (p *program) checkStanding(file []byte, group, keep string) error {
	s, shown, err := readStanding(file)
	if err != nil {
		return err
	}
	if err := sameGroup(group, shown.Group); err != nil {
		return err
	}
	found := proofFindingsOf(s, shown)
	if keep != "" {
		before, err := keepStanding(keep, file, s)
		if twice, ok := errors.AsType[*chain.TwiceError](err); ok {
			p.printTwice(twice)
		}
		if err != nil {
			return err
		}
		found.Kept, found.KeptBefore = keep, before
	}
	if !p.showValue(found) {
		p.printProofFindings(found)
	}
	return nil
}

func readStanding(file []byte) (*chain.Standing, *chain.Shown, error) {
	s, err := chain.ParseStanding(file)
	if err != nil {
		return nil, nil, err
	}
	shown, err := s.Verify()
	return s, shown, err
}

// sameGroup compares with the id that somebody was told, if they were.
func sameGroup(want string, got wire.GroupID) error {
	if want == "" || strings.ToLower(want) == got.String() {
		return nil
	}
	if b, err := hex.DecodeString(want); err != nil || len(b) != len(got) {
		return &usageError{"--group takes the whole id of the group: 64 hex digits"}
	}
	return &chain.StandingError{Reason: chain.StandingGroup}
}

// keepStanding puts a proof in the place of the one kept at path, which it has to
// follow. It returns the height of that one; nil if nothing was kept.
func keepStanding(path string, file []byte, s *chain.Standing) (*uint64, error) {
	b, err := readAtMost(path, chain.MaxStanding)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, writeNew(path, file)
	}
	if err != nil {
		return nil, err
	}
	kept, _, err := readStanding(b)
	if err != nil {
		return nil, &api.Error{Reason: api.ReasonKept, Subject: path, Err: err}
	}
	height := kept.Settled().Height
	if err := s.Follows(kept); err != nil || s.Settled().Height == height {
		return &height, err
	}
	return &height, replace(path, file)
}

func proofFindingsOf(s *chain.Standing, shown *chain.Shown) proofFindings {
	h, m := shown.Settled, shown.Member
	f := proofFindings{
		Group: shown.Group.String(), Settled: h.Hash().String(), SettledHeight: h.Height, SettledAt: h.CreatedAt,
		StateRoot: h.StateRoot.String(), Settlement: []settling{},
		Person: memberState{
			ID: m.Person.String(), Instance: hex.EncodeToString(m.Instance[:]), Member: m.Status != chain.StatusRemoved,
			Admin: m.Status != chain.StatusRemoved && m.Role == chain.RoleAdmin, Devices: []deviceState{},
		},
	}
	for i, by := range shown.Settlings {
		f.Settlement = append(f.Settlement, settledBy(by, s.Steps[i].Header.Height, func(wire.PersonID) string { return "" }))
	}
	for _, d := range m.Devices {
		f.Person.Devices = append(f.Person.Devices, deviceState{d.ID.String(), hex.EncodeToString(d.Key[:]), statusWord(d.Status)})
	}
	return f
}

func statusWord(s chain.Status) string {
	switch s {
	case chain.StatusParked:
		return "parked"
	case chain.StatusRemoved:
		return "removed"
	case chain.StatusRevoked:
		return "revoked"
	}
	return "active"
}

func (p *program) printProofFindings(f proofFindings) {
	role := "a member"
	switch {
	case !f.Person.Member:
		role = "no member any more"
	case f.Person.Admin:
		role = "a member, and an admin"
	}
	p.printf("The proof holds: at block %d, which is settled, this person is %s.", f.SettledHeight, role)
	p.table([][]string{
		{"group", f.Group},
		{"settled", "up to block " + number(f.SettledHeight) + ", signed " + day(f.SettledAt) + ": it can no longer be undone"},
		{"", f.Settled},
		{"person", f.Person.ID},
	})
	var rows [][]string
	for i, d := range f.Person.Devices {
		label := ""
		if i == 0 {
			label = "devices"
		}
		rows = append(rows, []string{label, d.ID, deviceText(d.State)})
	}
	p.table(rows)
	p.printSettlings(findings{Settlement: f.Settlement})
	p.println("")
	switch {
	case f.KeptBefore != nil && *f.KeptBefore == f.SettledHeight:
		p.printf("%s keeps block %d already; nothing was changed.", oneLine(f.Kept), f.SettledHeight)
	case f.KeptBefore != nil:
		p.printf("It goes on from block %d, which %s kept, and which now keeps block %d.", *f.KeptBefore, oneLine(f.Kept), f.SettledHeight)
	default:
		p.println("It is believed on the word of those who voted, from the first block on: compare the id of the group with one you were told.")
		if f.Kept != "" {
			p.printf("%s keeps block %d from now on.", oneLine(f.Kept), f.SettledHeight)
		}
	}
	if f.Kept != "" {
		p.printf("Ask for the next proof with: --since %d", f.SettledHeight)
	}
	p.printf("It does not show what was changed after block %d, nor who the person is outside the group.", f.SettledHeight)
}

func deviceText(state string) string {
	switch state {
	case "parked":
		return "set aside"
	case "revoked":
		return "removed for ever"
	case "removed":
		return "removed"
	}
	return "in use"
}

// printTwice prints what shows that a group was settled in two ways.
func (p *program) printTwice(e *chain.TwiceError) {
	none := func(wire.PersonID) string { return "" }
	kept, other := settledBy(e.Blocks[0], e.Heights[0], none), settledBy(e.Blocks[1], e.Heights[1], none)
	both := []string{}
	for _, id := range e.Both {
		both = append(both, id.String())
	}
	if p.showValue(struct {
		Era   string     `json:"era"`
		Twice []settling `json:"settled_twice"` // what is kept, and the other
		Both  []string   `json:"both"`          // who voted for both
	}{e.Era.String(), []settling{kept, other}, both}) {
		return
	}
	p.println("SETTLED TWICE: those who vote have settled two blocks of which a group can have only one.")
	for i, s := range []settling{kept, other} {
		p.println("")
		p.printf("%s block %d, in round %d by %d of %d voters:", []string{"What is kept,", "The other,"}[i], s.Height, s.Round, len(s.By), s.Voters)
		p.println("  " + s.Block)
		for _, who := range s.By {
			text := "  " + who.ID
			if slices.Contains(both, who.ID) {
				text += "  voted for both"
			}
			p.println(text)
		}
	}
}
