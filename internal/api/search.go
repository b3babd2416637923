package api

import (
	"context"
	"strconv"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/search"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

func (s *service) Search(_ context.Context, r *v1.SearchRequest) (*v1.SearchResponse, error) {
	asked, err := s.askedOf(r)
	if err != nil {
		return nil, asConnect(err)
	}
	f, err := s.node.Search(asked)
	if err != nil {
		return nil, asConnect(err)
	}
	return s.findingsOf(f), nil
}

func (s *service) askedOf(r *v1.SearchRequest) (a node.Asked, err error) {
	if a.Query, err = search.Parse(r.Text); err != nil {
		return a, err
	}
	if a.Query.Empty() && r.Chat == "" && r.Person == "" && len(r.Kinds) == 0 && r.Since == 0 && r.Until == 0 {
		return a, search.ErrNoWord
	}
	if r.Limit > maxFound {
		return a, &Error{Reason: ReasonFound}
	}
	if a.Limit = int(r.Limit); a.Limit == 0 {
		a.Limit = defaultFound
	}
	if r.Chat != "" {
		g, err := s.node.FindChat(r.Chat)
		if err != nil {
			return a, err
		}
		a.Chat = &g
	}
	if r.Person != "" {
		p, err := s.node.FindPerson(r.Person)
		if err != nil {
			return a, err
		}
		a.Person = &p
	}
	for _, k := range r.Kinds {
		a.Kinds = append(a.Kinds, group.ContentKind(k))
	}
	if r.Before != "" {
		if a.Before, err = strconv.ParseUint(r.Before, 16, 64); err != nil || a.Before == 0 {
			return a, &Error{Reason: ReasonCursor}
		}
	}
	a.Since, a.Until = r.Since, r.Until
	return a, nil
}

func (s *service) findingsOf(f node.Findings) *v1.SearchResponse {
	out := &v1.SearchResponse{LookedBackTo: f.Upto, Percent: uint32(f.Percent)}
	if f.Next != 0 {
		out.Next = strconv.FormatUint(f.Next, 16)
	}
	titles := make(map[wire.GroupID]string)
	for _, h := range f.Hits {
		g := h.Message.Chat
		title, known := titles[g]
		if !known {
			title = s.node.Title(g)
			titles[g] = title
		}
		found := &v1.Found{
			Message: messageOf(h.Message), ChatTitle: title, Snippet: h.Snippet.Text, CutBefore: h.Snippet.Before, CutAfter: h.Snippet.After,
		}
		for _, m := range h.Snippet.Marks {
			found.Marks = append(found.Marks, &v1.Mark{Start: uint32(m.Start), End: uint32(m.End)})
		}
		out.Found = append(out.Found, found)
	}
	for _, c := range f.Chats {
		out.Chats = append(out.Chats, chatOf(c))
	}
	for _, p := range f.People {
		out.People = append(out.People, personOf(p))
	}
	return out
}

// listElsewhere answers a ListMessages for what follows a place, or is around it.
func (s *service) listElsewhere(g wire.GroupID, r *v1.ListMessagesRequest, limit int) (*v1.ListMessagesResponse, error) {
	answer := &v1.ListMessagesResponse{}
	at, err := parseCursor(r.After + r.Around) // of two, neither: that is no place
	if err != nil {
		return nil, asConnect(err)
	}
	var list []node.Message
	if r.After != "" {
		list, answer.MoreAfter, err = s.node.MessagesAfter(g, at, limit)
	} else {
		list, answer.More, answer.MoreAfter, err = s.node.MessagesAround(g, at, limit)
	}
	if err != nil {
		return nil, asConnect(err)
	}
	for _, m := range list {
		answer.Messages = append(answer.Messages, messageOf(m))
	}
	return answer, nil
}
