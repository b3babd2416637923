package api

import (
	"context"
	"strings"
	"unicode/utf8"

	"kith/internal/group"
	"kith/internal/markup"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

func (s *service) Send(ctx context.Context, r *v1.SendRequest) (*v1.Message, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	if err := checkText(r.Text); err != nil {
		return nil, asConnect(err)
	}
	if r.ReplyTo != "" {
		return answer(s.node.Answer(ctx, g, r.ClientId, r.ReplyTo, r.Text, r.DraftAt))
	}
	content, err := group.Text(s.node.Mention(g, r.Text))
	if err != nil {
		return nil, asConnect(err)
	}
	return answer(s.node.SendDraft(ctx, g, r.ClientId, content, r.DraftAt))
}

// checkText says which of several things is wrong with a text that is no message.
func checkText(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return &Error{Reason: ReasonNothing}
	case len(text) > group.MaxContent:
		return &group.Refusal{Reason: group.ReasonLong}
	}
	return nil
}

func (s *service) CreatePoll(ctx context.Context, r *v1.CreatePollRequest) (*v1.Message, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	content, err := group.Say(group.Poll{Several: r.Several, Question: r.Question, Options: r.Options})
	if err != nil {
		return nil, asConnect(&Error{Reason: ReasonPoll})
	}
	return answer(s.node.Send(ctx, g, r.ClientId, content))
}

func (s *service) React(_ context.Context, r *v1.ReactRequest) (*v1.Message, error) {
	if _, err := group.Say(group.Reaction{Emoji: r.Emoji}); err != nil || !r.Off && utf8.RuneCountInString(r.Emoji) > maxReaction {
		return nil, asConnect(&Error{Reason: ReasonEmoji})
	}
	return s.to(r.Chat, func(g wire.GroupID) (node.Message, error) { return s.node.React(g, r.Message, r.Emoji, !r.Off) })
}

func (s *service) EditMessage(_ context.Context, r *v1.EditMessageRequest) (*v1.Message, error) {
	if err := checkText(r.Text); err != nil {
		return nil, asConnect(err)
	}
	return s.to(r.Chat, func(g wire.GroupID) (node.Message, error) { return s.node.Edit(g, r.Message, r.Text) })
}

func (s *service) DeleteMessage(_ context.Context, r *v1.DeleteMessageRequest) (*v1.Message, error) {
	return s.to(r.Chat, func(g wire.GroupID) (node.Message, error) { return s.node.Delete(g, r.Message) })
}

func (s *service) PinMessage(_ context.Context, r *v1.PinMessageRequest) (*v1.Message, error) {
	return s.to(r.Chat, func(g wire.GroupID) (node.Message, error) { return s.node.Pin(g, r.Message, !r.Off) })
}

func (s *service) SetLifetime(ctx context.Context, r *v1.SetLifetimeRequest) (*v1.Chat, error) {
	if r.Seconds > group.MaxLifetime {
		return nil, asConnect(&Error{Reason: ReasonLifetime})
	}
	return s.inChat(r.Chat, "chat", func(g wire.GroupID) error { return s.node.SetLifetime(ctx, g, r.Seconds) })
}

func (s *service) Vote(_ context.Context, r *v1.VoteRequest) (*v1.Message, error) {
	var choices []uint8
	for _, c := range r.Choices {
		if c >= group.MaxOptions {
			return nil, asConnect(&node.Error{Reason: node.ReasonChoice})
		}
		choices = append(choices, uint8(c))
	}
	return s.to(r.Chat, func(g wire.GroupID) (node.Message, error) { return s.node.Vote(g, r.Message, choices) })
}

func (s *service) ClosePoll(_ context.Context, r *v1.ClosePollRequest) (*v1.Message, error) {
	return s.to(r.Chat, func(g wire.GroupID) (node.Message, error) { return s.node.ClosePoll(g, r.Message) })
}

func (s *service) ListPins(_ context.Context, r *v1.ListPinsRequest) (*v1.ListPinsResponse, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	list, err := s.node.Pins(g)
	if err != nil {
		return nil, asConnect(err)
	}
	out := &v1.ListPinsResponse{}
	for _, m := range list {
		out.Messages = append(out.Messages, messageOf(m))
	}
	return out, nil
}

func (s *service) ListVersions(_ context.Context, r *v1.ListVersionsRequest) (*v1.ListVersionsResponse, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	list, err := s.node.Versions(g, r.Message)
	if err != nil {
		return nil, asConnect(err)
	}
	out := &v1.ListVersionsResponse{}
	for _, v := range list {
		out.Versions = append(out.Versions, &v1.Version{Text: markup.Text(v.Spans), Spans: spansOf(v.Spans), Time: v.Time})
	}
	return out, nil
}

// to does something in the chat that ref names and answers the message it was done to.
func (s *service) to(ref string, do func(wire.GroupID) (node.Message, error)) (*v1.Message, error) {
	g, err := s.chat(ref, "chat")
	if err != nil {
		return nil, err
	}
	return answer(do(g))
}

func answer(m node.Message, err error) (*v1.Message, error) {
	if err != nil {
		return nil, asConnect(err)
	}
	return messageOf(m), nil
}

// tell fills in what is shown of a message.
func tell(out *v1.Message, m node.Message) {
	said := m.Said
	out.State = messageState(m.State)
	if m.State == group.RowShown && !said.Known {
		out.State = v1.MessageState_MESSAGE_STATE_NEWER
	}
	if said.Over {
		out.State = v1.MessageState_MESSAGE_STATE_OVER
	}
	if m.Held {
		out.State, out.Id, out.Cursor = v1.MessageState_MESSAGE_STATE_HELD, "", ""
	}
	out.Text, out.Spans, out.MentionsMe = markup.Text(said.Spans), spansOf(said.Spans), said.MentionsMe
	out.Edits, out.EditedAt = uint32(said.Edits), said.EditedAt
	out.DeletedBy, out.DeletedByAdmin, out.PinnedBy = somebody(said.DeletedBy), said.ByAdmin, somebody(said.PinnedBy)
	if q := said.Quote; q != nil {
		out.ReplyTo = &v1.Quote{
			Id: q.ID.String(), Cursor: cursorOf(q.Place), Author: personOf(q.Author), State: messageState(q.State), Text: q.Text,
		}
		if q.Over {
			out.ReplyTo.State = v1.MessageState_MESSAGE_STATE_OVER
		}
	}
	out.Source, out.EndsAt = said.Source, said.EndsAt
	if l := said.Lifetime; l != nil {
		out.Lifetime, out.Text = &v1.Lifetime{Seconds: *l}, lifetimeSentence(*l)
	}
	for _, e := range said.Reactions {
		out.Reactions = append(out.Reactions, &v1.Reaction{Emoji: e.Emoji, Persons: personsOf(e.People), Mine: e.Mine})
	}
	if p := said.Poll; p != nil {
		out.Poll = &v1.Poll{Question: p.Question, Several: p.Several, Closed: p.Closed, Voters: uint32(p.Voters)}
		for _, o := range p.Options {
			out.Poll.Options = append(out.Poll.Options, &v1.PollOption{Text: o.Text, Persons: personsOf(o.People), Mine: o.Mine})
		}
	}
	may := said.May
	out.May = &v1.Permitted{Reply: may.Reply, Edit: may.Edit, Delete: may.Delete, Pin: may.Pin, Vote: may.Vote, Close: may.Close}
}

func messageState(s group.RowState) v1.MessageState {
	switch s {
	case group.RowShown:
		return v1.MessageState_MESSAGE_STATE_SHOWN
	case group.RowDamaged:
		return v1.MessageState_MESSAGE_STATE_DAMAGED
	case group.RowUnreadable:
		return v1.MessageState_MESSAGE_STATE_UNREADABLE
	case group.RowDeleted:
		return v1.MessageState_MESSAGE_STATE_DELETED
	}
	return v1.MessageState_MESSAGE_STATE_UNSPECIFIED
}

func spansOf(list []markup.Span) (out []*v1.Span) {
	for _, s := range list {
		span := &v1.Span{
			Text: s.Text, Bold: s.Bold, Italic: s.Italic, Struck: s.Struck, Code: s.Code, Block: s.Block, Quote: s.Quote, Link: s.Link,
		}
		if s.Person != (wire.PersonID{}) {
			span.Person = s.Person.String()
		}
		out = append(out, span)
	}
	return out
}

func personsOf(list []node.Person) (out []*v1.Person) {
	for _, p := range list {
		out = append(out, personOf(p))
	}
	return out
}
