package api

import (
	"context"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

func (s *service) CreateGroup(_ context.Context, r *v1.CreateGroupRequest) (*v1.Chat, error) {
	people, err := s.others(r.Persons)
	if err != nil {
		return nil, err
	}
	g, err := s.node.CreateGroup(r.Title, people)
	if err != nil {
		return nil, asConnect(err)
	}
	return s.answerChat(g)
}

func (s *service) ListChats(context.Context, *v1.ListChatsRequest) (*v1.ListChatsResponse, error) {
	list, err := s.node.Chats()
	if err != nil {
		return nil, asConnect(err)
	}
	answer := &v1.ListChatsResponse{}
	for _, c := range list {
		answer.Chats = append(answer.Chats, chatOf(c))
	}
	return answer, nil
}

func (s *service) GetChat(_ context.Context, r *v1.GetChatRequest) (*v1.Chat, error) {
	return s.inChat(r.Chat, "chat", func(wire.GroupID) error { return nil })
}

func (s *service) SetOnlyThroughFriends(_ context.Context, r *v1.SetOnlyThroughFriendsRequest) (*v1.Chat, error) {
	return s.inChat(r.Group, "group", func(g wire.GroupID) error { return s.node.SetOnlyFriends(g, r.On) })
}

func (s *service) AcceptGroup(_ context.Context, r *v1.AcceptGroupRequest) (*v1.Chat, error) {
	return s.inChat(r.Group, "group", func(g wire.GroupID) error { return s.node.AcceptGroup(g, r.OnlyThroughFriends) })
}

func (s *service) DeclineGroup(_ context.Context, r *v1.DeclineGroupRequest) (*v1.DeclineGroupResponse, error) {
	g, err := s.chat(r.Group, "group")
	if err != nil {
		return nil, err
	}
	if err := s.node.DeclineGroup(g); err != nil {
		return nil, asConnect(err)
	}
	return &v1.DeclineGroupResponse{}, nil
}

func (s *service) AddMembers(_ context.Context, r *v1.AddMembersRequest) (*v1.Chat, error) {
	people, err := s.others(r.Persons)
	if err != nil {
		return nil, err
	}
	if len(people) == 0 {
		return nil, asConnect(&Error{Reason: ReasonEmpty, Subject: "person"})
	}
	return s.inChat(r.Group, "group", func(g wire.GroupID) error { return s.node.AddMembers(g, people) })
}

func (s *service) RemoveMember(_ context.Context, r *v1.RemoveMemberRequest) (*v1.Chat, error) {
	p, err := s.person(r.Person)
	if err != nil {
		return nil, err
	}
	return s.inChat(r.Group, "group", func(g wire.GroupID) error { return s.node.RemoveMember(g, p) })
}

func (s *service) SetRole(_ context.Context, r *v1.SetRoleRequest) (*v1.Chat, error) {
	p, err := s.person(r.Person)
	if err != nil {
		return nil, err
	}
	if r.Role != v1.Role_ROLE_MEMBER && r.Role != v1.Role_ROLE_ADMIN {
		return nil, asConnect(&Error{Reason: ReasonRole})
	}
	return s.inChat(r.Group, "group", func(g wire.GroupID) error { return s.node.SetRole(g, p, r.Role == v1.Role_ROLE_ADMIN) })
}

func (s *service) SetTitle(_ context.Context, r *v1.SetTitleRequest) (*v1.Chat, error) {
	return s.inChat(r.Group, "group", func(g wire.GroupID) error { return s.node.SetTitle(g, r.Title) })
}

func (s *service) Resend(_ context.Context, r *v1.ResendRequest) (*v1.Chat, error) {
	return s.inChat(r.Chat, "chat", func(g wire.GroupID) error { return s.node.Resend(g, r.Yes) })
}

func (s *service) Rejoin(_ context.Context, r *v1.RejoinRequest) (*v1.Chat, error) {
	return s.inChat(r.Chat, "chat", s.node.Rejoin)
}

func (s *service) RestartKeys(_ context.Context, r *v1.RestartKeysRequest) (*v1.Chat, error) {
	return s.inChat(r.Group, "group", func(g wire.GroupID) error { return s.node.RestartKeys(g, r.PostQuantum) })
}

func (s *service) RenewKeys(_ context.Context, r *v1.RenewKeysRequest) (*v1.Chat, error) {
	return s.inChat(r.Group, "group", s.node.RenewKeys)
}

func (s *service) LeaveGroup(_ context.Context, r *v1.LeaveGroupRequest) (*v1.Chat, error) {
	var successor wire.PersonID
	if r.Successor != "" {
		var err error
		if successor, err = s.person(r.Successor); err != nil {
			return nil, err
		}
	}
	return s.inChat(r.Group, "group", func(g wire.GroupID) error {
		if g == s.node.Status().Notes {
			return &Error{Reason: ReasonNotes}
		}
		return s.node.LeaveGroup(g, successor)
	})
}

func (s *service) DeleteChat(_ context.Context, r *v1.DeleteChatRequest) (*v1.DeleteChatResponse, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	c, err := s.node.Chat(g)
	if err != nil {
		return nil, asConnect(err)
	}
	switch active := c.State == group.StatusActive; {
	case c.Kind == node.ChatNotes:
		return nil, asConnect(&Error{Reason: ReasonNotes})
	case c.Kind == node.ChatDirect && active && len(c.Members) > 1:
		return nil, asConnect(&Error{Reason: ReasonDirect})
	case c.State == group.StatusLeaving && len(c.Members) > 1:
		return nil, asConnect(&Error{Reason: ReasonLeaving, Subject: leaving(c)})
	}
	if err := s.node.DeleteChat(g); err != nil {
		return nil, asConnect(err)
	}
	return &v1.DeleteChatResponse{}, nil
}

func (s *service) ListBlocks(_ context.Context, r *v1.ListBlocksRequest) (*v1.ListBlocksResponse, error) {
	g, err := s.chat(r.Group, "group")
	if err != nil {
		return nil, err
	}
	list, err := s.node.Blocks(g)
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.ListBlocksResponse{Blocks: blocksOf(list)}, nil
}

func (s *service) ExportChain(_ context.Context, r *v1.ExportChainRequest) (*v1.ExportChainResponse, error) {
	g, err := s.chat(r.Group, "group")
	if err != nil {
		return nil, err
	}
	file, err := s.node.Record(g, r.WithNames)
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.ExportChainResponse{File: file}, nil
}

func (s *service) ListMessages(_ context.Context, r *v1.ListMessagesRequest) (*v1.ListMessagesResponse, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	limit := int(r.Limit)
	if limit == 0 {
		limit = defaultPage
	}
	if limit > maxPage {
		return nil, asConnect(&Error{Reason: ReasonLimit})
	}
	if r.After == "" && r.Before == "" {
		s.node.Look(g) // somebody opened the chat, at its end or elsewhere
	}
	if r.After != "" || r.Around != "" {
		return s.listElsewhere(g, r, limit)
	}
	var before *group.Place
	if r.Before != "" {
		place, err := parseCursor(r.Before)
		if err != nil {
			return nil, asConnect(err)
		}
		before = &place
	}
	list, more, err := s.node.Messages(g, before, limit)
	if err != nil {
		return nil, asConnect(err)
	}
	answer := &v1.ListMessagesResponse{More: more}
	for _, m := range list {
		answer.Messages = append(answer.Messages, messageOf(m))
	}
	return answer, nil
}

func (s *service) Typing(_ context.Context, r *v1.TypingRequest) (*v1.TypingResponse, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	if err := s.node.Typing(g, !r.Off); err != nil {
		return nil, asConnect(err)
	}
	return &v1.TypingResponse{}, nil
}

func (s *service) SetDraft(_ context.Context, r *v1.SetDraftRequest) (*v1.SetDraftResponse, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	d := node.Draft{Text: r.Draft.GetText()}
	if at := r.Draft.GetReplyTo(); at != "" {
		place, err := parseCursor(at)
		if err != nil {
			return nil, asConnect(err)
		}
		d.ReplyTo = &place
	}
	if err := s.node.SetDraft(g, d, r.At); err != nil {
		return nil, asConnect(err)
	}
	return &v1.SetDraftResponse{}, nil
}

func (s *service) MarkRead(_ context.Context, r *v1.MarkReadRequest) (*v1.MarkReadResponse, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	place, err := s.readTo(g, r.Cursor)
	if err != nil {
		return nil, asConnect(err)
	}
	if err := s.node.MarkRead(g, place); err != nil {
		return nil, asConnect(err)
	}
	return &v1.MarkReadResponse{}, nil
}

// readTo is the place that a cursor says, or where a message stands.
func (s *service) readTo(g wire.GroupID, ref string) (group.Place, error) {
	place, err := parseCursor(ref)
	if err == nil || ref == "" {
		return place, err
	}
	m, err := s.node.Message(g, ref)
	return m.Place, err
}

func (s *service) GetDelivery(_ context.Context, r *v1.GetDeliveryRequest) (*v1.Delivery, error) {
	g, err := s.chat(r.Chat, "chat")
	if err != nil {
		return nil, err
	}
	m, err := s.node.Message(g, r.Message)
	if err != nil {
		return nil, asConnect(err)
	}
	d, err := s.node.Delivery(g, m, r.Find, int(r.Limit))
	if err != nil {
		return nil, asConnect(err)
	}
	answer := &v1.Delivery{Reached: uint32(d.Reached), ReachOf: uint32(d.Of), More: d.More, Read: uint32(d.Read), Marks: d.Marks, Elsewhere: d.Elsewhere, Mailbox: liesSentence(d)}
	for _, to := range d.Members {
		answer.Members = append(answer.Members, &v1.DeliveredTo{Person: personOf(to.Person), Delivered: to.Has, Read: to.Read})
	}
	return answer, nil
}

// inChat does something with the chat that ref, a field of the request, names and answers what the chat
// is afterwards.
func (s *service) inChat(ref, field string, do func(wire.GroupID) error) (*v1.Chat, error) {
	g, err := s.chat(ref, field)
	if err != nil {
		return nil, err
	}
	if err := do(g); err != nil {
		return nil, asConnect(err)
	}
	return s.answerChat(g)
}

func (s *service) answerChat(g wire.GroupID) (*v1.Chat, error) {
	c, err := s.node.Chat(g)
	if err != nil {
		return nil, asConnect(err)
	}
	return chatOf(c), nil
}
