package node

import (
	"slices"
	"strings"

	"kith/internal/wire"
)

// A Delivery is who of the other members has an own message.
type Delivery struct {
	Members     []Delivered // of whom was asked
	Reached, Of int         // of all
	Read        int         // of all
	More        bool        // the limit left some out
	Marks       bool        // what others have read is shown
	Mailbox     bool        // one that answers takes what is said there
	Lies        bool        // and has the message
	Elsewhere   bool        // another device key of the person wrote it: others confirm it there first, and here it may be known late
}

// Delivered is whether a member has it.
type Delivered struct {
	Person Person
	Has    bool
	Read   bool // and told so
}

// Delivery returns who of the other members has an own message, by name: of those in whose name
// find stands, the first limit; 0: all. Who has another's is not told to everybody.
func (n *Node) Delivery(g wire.GroupID, m Message, find string, limit int) (d Delivery, err error) {
	o, err := n.in(g)
	if err != nil {
		return d, err
	}
	if !m.Author.Me {
		return d, fail(ReasonNotYours, "")
	}
	find = strings.ToLower(strings.TrimSpace(find))
	err = o.ask(func() error {
		has, all := o.machine.Delivered(m.Place.Device, m.Place.Seq)
		read := o.machine.ReadBy(m.Place.Device, m.Place.Seq)
		if d.Elsewhere = m.Place.Device != o.machine.Device(); !d.Elsewhere {
			d.Mailbox, d.Lies = n.boxed(g, m.Place.Seq)
		}
		d.Reached, d.Of, d.Read, d.Marks = len(has), len(all), len(read), o.machine.Marks()
		var people []Person
		for _, id := range all {
			if p := n.personIn(o.machine, id); strings.Contains(strings.ToLower(p.Name), find) {
				people = append(people, p)
			}
		}
		slices.SortFunc(people, compareNames)
		for _, p := range people {
			if limit > 0 && len(d.Members) == limit {
				d.More = true
				return nil
			}
			d.Members = append(d.Members, Delivered{p, slices.Contains(has, p.ID), slices.Contains(read, p.ID)})
		}
		return nil
	})
	return d, err
}
