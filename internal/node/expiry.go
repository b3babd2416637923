package node

import (
	"context"

	"kith/internal/group"
	"kith/internal/wire"
)

// Messages that disappear (docs/spec/content.md). The machine lets them go when their
// time is over. Until it has done so after a start, nothing that is over is shown.

// SetLifetime sets how long what is written in a chat from now on lasts, in seconds; 0:
// for ever.
func (n *Node) SetLifetime(ctx context.Context, g wire.GroupID, seconds uint32) error {
	o, err := n.in(g)
	if err != nil {
		return err
	}
	o.hurry()
	now := uint32(0)
	if err := o.ask(func() error { now = o.machine.View().Lifetime; return nil }); err != nil || now == seconds {
		return err
	}
	content, err := group.Say(group.Expiry{Seconds: seconds})
	if err != nil {
		return err
	}
	_, err = n.Send(ctx, g, "", content)
	return err
}

// endOf returns when a row disappears, in ms, 0: never, and whether it has. What somebody deleted
// before its time has not.
func (n *Node) endOf(g wire.GroupID, r group.Row, shown group.Shown) (at uint64, over bool) {
	at = group.Ends(g, r.ID, r.Place.Order)
	if at == 0 || at <= n.nowMS() {
		return at, at != 0
	}
	return at, r.State == group.RowDeleted && (shown.Deleted == nil || shown.Deleted.Place == r.Place)
}

// alive returns a row as it stands, if it is neither deleted nor has disappeared.
func (n *Node) alive(g wire.GroupID, r group.Row) (group.Shown, error) {
	around, err := n.around(g, []group.Row{r})
	if err != nil {
		return group.Shown{}, storeError(err)
	}
	shown := group.Fold(r, around.about[r.Target()])
	if _, over := n.endOf(g, r, shown); over {
		return shown, fail(ReasonOver, "")
	}
	if shown.Deleted != nil || r.State == group.RowDeleted {
		return shown, fail(ReasonDeleted, "")
	}
	return shown, nil
}

// tellOver leaves nothing of a message whose time is over but its place.
func (s *Said) tellOver(m *Message) {
	m.State, m.Content = group.RowDeleted, group.Content{}
	s.Over, s.May = true, Permitted{}
}
