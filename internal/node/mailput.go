package node

import (
	"bytes"
	"context"

	"kith/internal/bundle"
	"kith/internal/mailbox"
	"kith/internal/wire"
)

// How what a task has to leave is sealed, and put into a drop.

// put seals payloads and puts them into a drop.
func (t *mailTask) put(ctx context.Context, k keptKey, day uint64, payloads [][]byte) error {
	if len(payloads) == 0 {
		return nil
	}
	items, err := t.seal(payloads, k.Item(t.key.box, uint32(day)))
	if err != nil {
		return err
	}
	c, err := t.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	drop := k.drop(t.key.box, day)
	for _, batch := range batches(items) {
		if _, err := c.MakeAndPut(ctx, drop, mailHours, batch...); err != nil {
			return err
		}
	}
	t.n.mu.Lock()
	v := t.n.boxes[t.key.box]
	v.Left += len(items)
	t.n.boxes[t.key.box] = v
	t.n.mu.Unlock()
	return nil
}

// seal makes items of payloads, under the secret of a drop.
func (t *mailTask) seal(payloads [][]byte, secret [32]byte) ([][]byte, error) {
	self := t.n.me()
	var sealed bytes.Buffer
	w, err := bundle.NewSecretWriter(&sealed, self.Device, bundle.Header{From: wire.Member{Person: self.Person, Device: self.Device.ID()}, Time: t.n.nowMS()}, secret)
	if err != nil {
		return nil, err
	}
	if err := w.Group(t.key.group); err != nil {
		return nil, err
	}
	for _, b := range payloads {
		if err := w.Payload(b); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bundle.Split(sealed.Bytes(), secret, 0)
}

// batches divides items into what one frame takes.
func batches(items [][]byte) (list [][][]byte) {
	size := 0
	for _, item := range items {
		if n := len(list); n == 0 || len(list[n-1]) == mailbox.MaxItems || size+len(item) > mailbox.MaxBody {
			list, size = append(list, nil), 0
		}
		list[len(list)-1] = append(list[len(list)-1], item)
		size += len(item)
	}
	return list
}
