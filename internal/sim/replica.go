package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// A Replica is one group at one node: the machine, and what it wrote.
type Replica struct {
	Machine *group.Machine
	Records map[group.Kind]map[string][]byte
	Rows    map[group.Place]group.Row
	Events  []group.Event
	hidden  map[group.Place]group.Target // rows of messages that are shown at a smaller place

	inviter *Node  // whose invitation made the machine; nil: none did
	clock   *int64 // that of its node at the machine's last step; nil: there was none

	wake  int   // serial of the newest wake
	spins int   // wakes in a row, each a millisecond after the one before
	cast  *cast // nil: the group has no tree here
}

func newReplica() *Replica {
	return &Replica{Records: make(map[group.Kind]map[string][]byte), Rows: make(map[group.Place]group.Row), hidden: make(map[group.Place]group.Target)}
}

// use makes m the machine. Its graph is stored in parts so small that runs have many of them.
func (r *Replica) use(m *group.Machine) {
	m.StoreEvery(4)
	r.Machine, r.clock = m, nil
}

// input is what the machine of a node takes now.
func (r *Replica) input(n *Node, c group.Cause) group.Input {
	in := group.Input{Now: n.now(), Cause: c}
	if r.clock != nil {
		in.Jump = n.Clock - *r.clock
	}
	clock := n.Clock
	r.clock = &clock
	return in
}

// Copy is a backup of what is stored; its machine is made by Start.
func (r *Replica) Copy() *Replica {
	c := newReplica()
	for k, records := range r.Records {
		c.Records[k] = maps.Clone(records)
	}
	c.Rows, c.Events, c.hidden = maps.Clone(r.Rows), slices.Clone(r.Events), maps.Clone(r.hidden)
	return c
}

// source gives the records to group.Load.
func (r *Replica) source(k group.Kind, each func(group.Record) error) error {
	keys := make([]string, 0, len(r.Records[k]))
	for key := range r.Records[k] {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := each(group.Record{Kind: k, Key: []byte(key), Value: r.Records[k][key]}); err != nil {
			return err
		}
	}
	return nil
}

// commit writes effects as the store does.
func (r *Replica) commit(eff group.Effects, t *thrift) {
	for _, rec := range eff.Write {
		table := r.Records[rec.Kind]
		if table == nil {
			table = make(map[string][]byte)
			r.Records[rec.Kind] = table
		}
		switch {
		case rec.Value != nil && t != nil:
			table[string(rec.Key)] = t.share(rec.Value)
		case rec.Value != nil:
			table[string(rec.Key)] = bytes.Clone(rec.Value)
		case rec.Kind == group.KindRatchet && len(rec.Key) == 32:
			for key := range table {
				if bytes.HasPrefix([]byte(key), rec.Key) {
					delete(table, key)
				}
			}
		default:
			delete(table, string(rec.Key))
		}
	}
	for _, row := range eff.Rows {
		r.putRow(row)
	}
	for _, d := range eff.Deleted {
		r.wipe(d)
	}
	for _, p := range eff.Checked {
		if row, ok := r.Rows[p]; ok {
			row.Waiting = false
			r.Rows[p] = row
		}
	}
	for _, p := range eff.Twice {
		if row, ok := r.Rows[p]; ok {
			row.Twice = true
			r.Rows[p] = row
		}
	}
}

func (r *Replica) putRow(row group.Row) {
	for p, old := range r.Rows {
		if p != row.Place && old.Person == row.Person && old.ID == row.ID && old.Commit == row.Commit && row.Commit != (wire.Digest{}) {
			if dag.Less(p, row.Place) {
				if old.State != group.RowShown && old.State != group.RowDeleted && row.State == group.RowShown {
					old.State, old.Content, old.Annotation = row.State, row.Content, row.Annotation
				}
				old.May |= row.May
				r.Rows[p] = old
				r.hidden[row.Place] = row.Target()
				return
			}
			row.May |= old.May
			delete(r.Rows, p)
			r.hidden[p] = row.Target()
		}
	}
	r.Rows[row.Place] = row
}

// Answer is what a Serve sends.
func (r *Replica) Answer(s group.Serve) [][]byte {
	read := func(k group.Kind, key []byte) ([]byte, error) { return r.Records[k][string(key)], nil }
	payloads, err := s.Answer(read)
	if s.Earlier {
		payloads, err = s.AnswerEarlier(read, func(t group.Target) ([]byte, error) { return r.content(t), nil })
	}
	if err != nil {
		panic(err)
	}
	return payloads
}

// content returns what a message says that is shown.
func (r *Replica) content(t group.Target) []byte {
	for _, row := range r.Rows {
		if row.State == group.RowShown && row.Target() == t {
			return row.Content
		}
	}
	return nil
}

// Shown returns the rows that a person sees, in the order of display.
func (r *Replica) Shown() (rows []group.Row) {
	for _, row := range r.Rows {
		if row.State == group.RowShown {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b group.Row) int {
		if dag.Less(a.Place, b.Place) {
			return -1
		}
		return 1
	})
	return rows
}

// Texts returns what the person of n sees, in the order of display.
func (n *Node) Texts(g wire.GroupID) (list []string) {
	if r := n.Groups[g]; r != nil {
		for _, row := range r.Shown() {
			list = append(list, text(row))
		}
	}
	return list
}

// hasCipher reports whether n has what stands at a place as it was written.
func (n *Node) hasCipher(g wire.GroupID, p group.Place) bool {
	return len(n.Groups[g].Records[group.KindCipher][string(group.EntryKey(p.Ref()))]) > 0
}

func text(row group.Row) string {
	c, err := group.ParseContent(row.Content)
	if err != nil {
		return "not a content: " + err.Error()
	}
	if c.Kind != group.ContentText {
		return fmt.Sprintf("kind %d, id %v", c.Kind, row.ID)
	}
	return string(c.Body)
}
