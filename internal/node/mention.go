package node

import (
	"kith/internal/group"
	"kith/internal/markup"
)

// maxMentions bounds the unread mentions that are told of a chat: more are none to go through one by one.
const maxMentions = 100

// mentions returns where the messages stand that mention the person and were not read, oldest first.
func (n *Node) mentions(o *owner) (list []group.Place, err error) {
	rows, err := n.db.UnreadHolding(o.id, n.self.Person, []byte(markup.MentionEnd(n.self.Person)), maxMentions)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	msgs, err := n.messages(o, rows)
	for _, m := range msgs {
		if m.State == group.RowShown && m.Said.MentionsMe {
			list = append(list, m.Place)
		}
	}
	return list, err
}
