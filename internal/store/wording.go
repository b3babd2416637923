package store

import "kith/internal/group"

// A message is found by its text as it is now: as the last edit of its author has it.
// The index is told neither when an edit comes nor when it goes. So before an edit is put
// into its table or taken out of it, whatever way, its message leaves the index with the
// words that it has there, and waits to be indexed anew with what it says then.

// sqlWording finds the last edit of a message by who wrote it; 4 is [group.ContentEdit], 1
// [group.RowShown]. Those that do not count any more have no content.
const sqlWording = "SELECT content FROM annotations INDEXED BY annotations_target WHERE grp = ? AND target <> x'' AND target = ?" +
	" AND person = ? AND kind = 4 AND state = 1 ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT 1"

// wording is what a row says now, and its kind; not ok, if it is not found by anything.
// As [group.Fold] has it: only what is a text can be edited.
func (c *conn) wording(n int64, r group.Row) (text string, kind group.ContentKind, ok bool, err error) {
	text, kind, ok = indexed(r)
	if !ok || kind != group.ContentText && kind != group.ContentReply {
		return text, kind, ok, nil
	}
	b, edited, err := c.value(sqlWording, n, r.Target().Bytes(), r.Person[:])
	if err != nil || !edited {
		return text, kind, true, err
	}
	if content, err := group.ParseContent(b); err == nil {
		if body, _ := content.Open(); body != nil {
			if edit, is := body.(group.Edit); is {
				text = edit.Text
			}
		}
	}
	return text, kind, true, nil
}

// reword takes the message that an annotation edits out of the index, to be indexed
// again. It is called before the annotation comes or goes.
func (tx *Tx) reword(n int64, annotation group.Row) error {
	if kind, _ := subject(annotation); kind != int64(group.ContentEdit) {
		return nil
	}
	c, err := group.ParseContent(annotation.Content)
	if err != nil {
		return nil
	}
	of, _ := c.About()
	if of.Person != annotation.Person {
		return nil // it changes nothing
	}
	r, err := tx.c.row(sqlSame, n, of.ID[:], of.Person[:], of.Commit[:])
	if err != nil || r == nil {
		return err
	}
	ord, device, seq, hash := columns(r.Place)
	msg, found, err := tx.c.number(sqlNumber, n, ord, device, seq, hash)
	if err != nil || !found {
		return err
	}
	if err := tx.forget(msg, n, *r); err != nil {
		return err
	}
	return tx.noteAdded(msg)
}
