package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"kith/internal/chain"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

func (p *program) chainVerb() *cobra.Command {
	return parent("chain", "Hand a group's chain to outsiders, and check one without a node", p.chainExport(), p.chainProof(), p.chainVerify())
}

func (p *program) chainExport() *cobra.Command {
	var names bool
	c := &cobra.Command{
		Use:               "export GROUP FILE",
		Short:             "Write who belongs, and by whose word, into a file that anybody can check; no messages, no keys",
		Args:              words(2, 2),
		ValidArgsFunction: p.completeChat,
		RunE: func(c *cobra.Command, args []string) error {
			answer, err := call(c.Context(), p.client().ExportChain, &v1.ExportChainRequest{Group: args[0], WithNames: names})
			if err != nil {
				return err
			}
			if err := writeNew(args[1], answer.File); err != nil {
				return err
			}
			if p.showValue(exported{File: args[1], Bytes: len(answer.File), WithNames: names}) {
				return nil
			}
			p.printf("Wrote %s. Anybody checks it with: kith chain verify %s", oneLine(args[1]), quoted(oneLine(args[1])))
			return nil
		},
	}
	c.Flags().BoolVar(&names, "with-names", false, "put titles and members' names into it")
	return c
}

type exported struct {
	File      string `json:"file"`
	Bytes     int    `json:"bytes"`
	WithNames bool   `json:"with_names"`
}

func (p *program) chainVerify() *cobra.Command {
	var group, keep string
	c := &cobra.Command{
		Use:   "verify FILE [--group ID] [--keep STATE]",
		Short: "Check a chain in a file, or a proof of one member, and say what it shows; needs no node",
		Args:  words(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readAtMost(args[0], chain.MaxRecord)
			switch {
			case err != nil:
				return err
			case chain.IsStanding(b):
				return p.checkStanding(b, group, keep)
			case keep != "":
				return &usageError{"--keep is for proofs of one member, made with kith chain proof"}
			}
			return p.checkRecord(b, group)
		},
	}
	c.Flags().StringVar(&group, "group", "", "refuse the file unless it is about the group with this `ID`, all 64 digits")
	c.Flags().StringVar(&keep, "keep", "", "the file `STATE` keeps the newest proof that was believed: refuse what does not descend from it, else keep this one")
	return c
}

// checkRecord checks the chain in a file.
func (p *program) checkRecord(file []byte, group string) error {
	r, err := chain.ParseRecord(file)
	if err != nil {
		return err
	}
	v, err := r.Verify()
	if err != nil {
		return err
	}
	if err := sameGroup(group, wire.GroupID(v.Blocks.Genesis())); err != nil {
		return err
	}
	found := findingsOf(v)
	if !p.showValue(found) {
		p.printFindings(found)
	}
	return nil
}

// readAtMost reads a file; of a longer one a byte more than limit.
func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// findings are what a chain file shows; the names are those of --json.
type findings struct {
	Group         string     `json:"group"`
	Title         string     `json:"title"`  // empty: the file does not say
	Blocks        int        `json:"blocks"` // on the chain
	Lost          int        `json:"lost"`   // on branches that lost
	Height        uint64     `json:"height"`
	Head          string     `json:"head"`
	HeadAt        uint64     `json:"head_at"`
	StateRoot     string     `json:"state_root"`
	Settled       string     `json:"settled"` // hash of the last settled block; the first is by itself
	SettledBy     []string   `json:"settled_by"`
	SettledHeight uint64     `json:"settled_height"`
	SettleRound   uint64     `json:"settle_round"`
	Settlement    []settling `json:"settlement"` // what was settled by whom, for each set of voters
	Members       []member   `json:"members"`
}

// settling is by whose votes a block is settled, with all before it.
type settling struct {
	Block  string  `json:"block"`
	Height uint64  `json:"height"`
	Round  uint64  `json:"round"`
	By     []voter `json:"by"`
	Voters int     `json:"voters"` // how many there were
	Quorum int     `json:"quorum"` // how many of them were needed
}

type voter struct {
	ID   string `json:"id"`
	Name string `json:"name"` // empty: the file does not say
}

type member struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Admin   bool   `json:"admin"`
	Rank    int    `json:"rank"` // 1: the most senior admin; 0: no admin
	Devices int    `json:"devices"`
}

func findingsOf(v *chain.Verified) findings {
	h, s := v.Blocks.Header(v.Head), v.Blocks.State(v.Head)
	on := int(h.Height) + 1
	f := findings{
		Group: wire.GroupID(v.Blocks.Genesis()).String(), Title: v.Text(s.Info()), Blocks: on, Lost: v.Blocks.Len() - on,
		Height: h.Height, Head: v.Head.String(), HeadAt: h.CreatedAt, StateRoot: s.Root().String(), SettledBy: []string{}, Settlement: []settling{},
	}
	for _, by := range v.Settlings {
		f.Settlement = append(f.Settlement, settledBy(by, v.Blocks.Header(by.Block).Height, v.Name))
	}
	f.Settled, f.SettledHeight, f.SettleRound = v.Settled.String(), v.Blocks.Header(v.Settled).Height, v.Round
	for _, id := range v.SettledBy {
		f.SettledBy = append(f.SettledBy, id.String())
	}
	rank := make(map[wire.PersonID]int)
	for i, id := range s.Admins() {
		rank[id] = i + 1
	}
	for _, m := range s.Members() {
		who := member{ID: m.Person.String(), Name: v.Name(m.Person), Admin: rank[m.Person] > 0, Rank: rank[m.Person]}
		for _, d := range m.Devices {
			if s.Active(d.ID) {
				who.Devices++
			}
		}
		f.Members = append(f.Members, who)
	}
	return f
}

func settledBy(by chain.Settling, height uint64, name func(wire.PersonID) string) settling {
	s := settling{Block: by.Block.String(), Height: height, Round: by.Round, Voters: by.Voters, Quorum: by.Quorum, By: []voter{}}
	for _, id := range by.By {
		s.By = append(s.By, voter{id.String(), name(id)})
	}
	return s
}

func (p *program) printFindings(f findings) {
	p.printf("The chain is valid: %s, each signed by a member who was allowed to.", count(f.Blocks, "block", "blocks"))
	if f.Lost > 0 {
		p.printf("%s undone: valid too, but made at the same time as others that count.", count(f.Lost, "block was", "blocks were"))
	}
	rows := [][]string{{"group", f.Group}}
	if f.Title != "" {
		rows = append(rows, []string{"title", oneLine(f.Title)})
	}
	rows = append(rows, []string{"head", "block " + number(f.Height) + ", signed " + day(f.HeadAt)}, []string{"", f.Head})
	rows = append(rows, []string{"settled", "up to block " + number(f.SettledHeight) + ": it can no longer be undone"}, []string{"", f.Settled})
	if open := f.Height - f.SettledHeight; open > 0 {
		rows = append(rows, []string{"open", count(int(open), "block", "blocks") + " above it, which others made at the same time could still undo"})
	}
	p.table(rows)
	p.printSettlings(f)
	p.println("")
	rows = nil
	for _, m := range f.Members {
		role := "member"
		switch {
		case m.Rank == 1:
			role = "admin, the most senior"
		case m.Admin:
			role = "admin, number " + number(uint64(m.Rank)) + " by seniority"
		}
		row := []string{m.ID, role, count(m.Devices, "device", "devices")}
		if m.Name != "" {
			row = append(row, oneLine(m.Name))
		}
		rows = append(rows, row)
	}
	p.table(rows)
}

// printSettlings says which voters settled which blocks.
func (p *program) printSettlings(f findings) {
	from := uint64(0)
	for _, s := range f.Settlement {
		what := "blocks " + number(from) + " to " + number(s.Height)
		if from == s.Height {
			what = "block " + number(from)
		}
		if from <= s.Height { // else the change of voters settled itself
			p.println("")
		}
		by := fmt.Sprintf("%d of %d voters; %d were needed", len(s.By), s.Voters, s.Quorum)
		if s.Voters == 1 {
			by = "the only voter"
		}
		p.printf("Settled %s, in round %s by %s:", what, number(s.Round), by)
		var rows [][]string
		for _, who := range s.By {
			row := []string{"  " + who.ID}
			if who.Name != "" {
				row = append(row, oneLine(who.Name))
			}
			rows = append(rows, row)
		}
		p.table(rows)
		from = s.Height + 1
	}
}

func (p *program) groupChain() *cobra.Command {
	return p.groupVerbOf("chain GROUP", "Show how a group's membership came about, block by block, and what was undone", p.printChain)
}

func (p *program) printChain(ctx context.Context, group string) error {
	list, err := call(ctx, p.client().ListBlocks, &v1.ListBlocksRequest{Group: group})
	if err != nil {
		return err
	}
	s, err := p.settlement(ctx, group, "")
	if err != nil {
		return err
	}
	if p.json {
		for _, b := range list.Blocks {
			p.show(b)
		}
		p.show(s)
		return nil
	}
	for _, line := range drawChain(list.Blocks) {
		p.println(line)
	}
	p.println("")
	p.printSettlement(s)
	return nil
}

// changesOf is what a block did, in sentences. Only who leaves has somebody
// else sign it.
func changesOf(b *v1.Block) string {
	text := ""
	for i, c := range b.Changes {
		if i > 0 {
			text += " "
		}
		text += oneLine(c.Sentence)
		if c.Kind == v1.ChangeKind_CHANGE_KIND_LEFT {
			text += " Signed in by " + nameOf(b.Author) + "."
		}
	}
	return text
}
