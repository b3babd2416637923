package node

import (
	"encoding/hex"
	"slices"
	"strings"

	"kith/internal/group"
	"kith/internal/wire"
)

// Message finds one message by its id, the beginning of that, or its cursor; "last" is
// the newest.
func (n *Node) Message(g wire.GroupID, ref string) (Message, error) {
	o, err := n.in(g)
	if err != nil {
		return Message{}, err
	}
	row, err := n.line(g, ref)
	if err != nil {
		return Message{}, err
	}
	msg, err := n.message(o, *row)
	if err != nil {
		return Message{}, err
	}
	return msg, o.ask(func() error {
		o.reached([]*Message{&msg})
		return nil
	})
}

// line finds the row of a message, see Message.
func (n *Node) line(g wire.GroupID, ref string) (*group.Row, error) {
	var rows []group.Row
	var err error
	if at, ok := ParseCursor(ref); ok {
		var row *group.Row
		if row, err = n.db.RowAt(g, at); row != nil && !row.Annotation {
			rows = append(rows, *row)
		}
	} else if ref == "last" {
		rows, err = n.db.Page(g, nil, 1)
	} else if b, bad := hex.DecodeString(ref[:len(ref)&^1]); bad == nil && len(ref) >= minPrefix {
		rows, err = n.db.LinesByID(g, b)
		rows = slices.DeleteFunc(rows, func(r group.Row) bool { return !strings.HasPrefix(r.ID.String(), ref) })
	}
	switch {
	case err != nil:
		return nil, storeError(err)
	case len(rows) == 0:
		return nil, fail(ReasonNoMessage, ref)
	case len(rows) > 1:
		return nil, fail(ReasonAmbiguous, ref)
	}
	return &rows[0], nil
}
