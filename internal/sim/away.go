package sim

import (
	"slices"

	"kith/internal/group"
	"kith/internal/wire"
)

// An Item is what one node exported of a group: payloads in a file, or in a mailbox.
type Item struct {
	From     *Node
	Group    wire.GroupID
	Payloads [][]byte
	Mark     group.Mark
	Entries  int
}

// Size is how many bytes an item has.
func (i Item) Size() (n int) {
	for _, p := range i.Payloads {
		n += len(p)
	}
	return n
}

// Export makes items of all that one export says, each of most entries.
func (n *Node) Export(g wire.GroupID, to group.ExportTo, most int) (items []Item) {
	for {
		r := n.Groups[g]
		x := r.Machine.Export(to, most)
		payloads := slices.Clone(x.Payloads)
		if len(x.Serve.Refs) > 0 {
			payloads = append(payloads, r.Answer(x.Serve)...)
		}
		payloads = append(payloads, x.Last...)
		if len(payloads) > 0 {
			items = append(items, Item{n, g, payloads, x.Mark, x.Entries})
		}
		if !x.More {
			return items
		}
		to.Since, to.All = x.Mark, false
	}
}

// Import takes an item as if it came in a file.
func (n *Node) Import(i Item) {
	if !n.Online {
		return
	}
	for _, p := range i.Payloads {
		if n.Groups[i.Group] != nil {
			_ = n.step(i.Group, group.Received{From: i.From.member(), Payload: p, Secrets: n.secrets, Away: true})
		} else if group.IsInvitation(p) {
			_ = n.invited(i.Group, i.From, p)
		}
	}
}
