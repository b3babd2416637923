package api

import (
	"context"
	"math"

	"connectrpc.com/connect"

	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

// newestOwn is how many of a chat's newest messages are looked through for own
// ones when members acknowledge some; older ones say it when they are loaded.
const newestOwn = 50

// Subscribe streams what changes. Whoever comes without a place, or with one of
// another run, begins at the newest event.
func (s *service) Subscribe(ctx context.Context, r *v1.SubscribeRequest, out *connect.ServerStream[v1.Event]) error {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	defer func() { cancel(); <-done }()
	go func() {
		defer close(done)
		select {
		case <-s.quit: // Shutdown of the server waits for streams, it does not end them
			cancel()
		case <-ctx.Done():
		}
	}()
	st := &stream{s, out, s.node.EventRun()}
	var err error
	if r.Run == st.run {
		if err = st.send(r.After, nil); err == nil {
			err = s.node.Subscribe(ctx, st.run, r.After, st.event)
		}
	} else {
		err = st.fromNewest(ctx, r.Run != "")
	}
	select {
	case <-s.quit:
		return s.over()
	default:
		return asConnect(err)
	}
}

// stream is one client's.
type stream struct {
	*service
	out *connect.ServerStream[v1.Event]
	run string
}

// fromNewest asks the node for events after one that cannot be: it answers with
// a Reset that bears the number of the newest, from which nothing is missed.
func (st *stream) fromNewest(ctx context.Context, stale bool) error {
	first := true
	return st.node.Subscribe(ctx, st.run, math.MaxUint64, func(e node.Event) error {
		if !first {
			return st.event(e)
		}
		first = false
		if err := st.send(e.Seq, nil); err != nil || !stale {
			return err
		}
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_Reset_{Reset_: true}})
	})
}

// event says what a change is now, which may be later than when it happened.
// What is gone by now has an event of its own to come.
func (st *stream) event(e node.Event) error {
	switch c := e.Change.(type) {
	case node.MessageChanged:
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_Message{Message: messageOf(c.Message)}})
	case node.ChatChanged:
		return st.chatEvent(e.Seq, c.Chat)
	case node.ChatDeleted:
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_ChatDeleted{ChatDeleted: c.Chat.String()}})
	case node.FriendChanged:
		f, err := st.node.Friend(c.Person)
		if err != nil {
			return nil
		}
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_Friend{Friend: friendOf(f)}})
	case node.FriendRemoved:
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_FriendRemoved{FriendRemoved: c.Person.String()}})
	case node.StatusChanged:
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_Node{Node: st.nodeOf(st.node.Status())}})
	case node.Happened:
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_Incident{Incident: incidentOf(c.Incident)}})
	case node.Typed:
		who := st.node.PersonIn(c.Chat, c.Person)
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_Typed{Typed: &v1.Typed{ChatId: c.Chat.String(), Person: personOf(who), Off: !c.On}}})
	case node.DeliveryChanged:
		return st.deliveryEvent(e.Seq, c.Chat)
	case node.Reset:
		return st.send(e.Seq, &v1.Event{Change: &v1.Event_Reset_{Reset_: true}})
	}
	return nil
}

func (st *stream) chatEvent(seq uint64, g wire.GroupID) error {
	c, err := st.node.Chat(g)
	if err != nil || st.node.Hidden(g) {
		return nil
	}
	return st.send(seq, &v1.Event{Change: &v1.Event_Chat{Chat: chatOf(c)}})
}

// deliveryEvent is two: what waits in the chat, and how far messages have come.
// The first bears the number before, so that a client that was cut off between
// them gets both again.
func (st *stream) deliveryEvent(seq uint64, g wire.GroupID) error {
	if err := st.chatEvent(seq-1, g); err != nil {
		return err
	}
	list, _, err := st.node.Messages(g, nil, newestOwn)
	if err != nil {
		return nil
	}
	r := &v1.Reached{ChatId: g.String()}
	for _, m := range list {
		if m.Author.Me {
			r.Messages = append(r.Messages, &v1.MessageReach{MessageId: m.ID.String(), Reached: uint32(m.Reached), ReachOf: uint32(m.ReachOf), Read: uint32(m.Read)})
		}
	}
	return st.send(seq, &v1.Event{Change: &v1.Event_Reached{Reached: r}})
}

// send sends e, nil for the empty one, as number seq.
func (st *stream) send(seq uint64, e *v1.Event) error {
	if e == nil {
		e = &v1.Event{}
	}
	e.Seq, e.Run = seq, st.run
	return st.out.Send(e)
}
