package api

import (
	"context"

	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

// service is the calls of proto/kith/v1: each finds what its request names,
// asks the node, and says the answer. Those of the door need no node.
type service struct {
	*life
	door
}

var _ kithv1connect.KithServiceHandler = (*service)(nil)

func (s *service) GetNode(context.Context, *v1.GetNodeRequest) (*v1.Node, error) {
	return s.nodeOf(s.node.Status()), nil
}

func (s *service) RevokeCopies(context.Context, *v1.RevokeCopiesRequest) (*v1.Node, error) {
	if err := s.node.RevokeCopies(); err != nil {
		return nil, asConnect(err)
	}
	return s.nodeOf(s.node.Status()), nil
}

func (s *service) Setup(_ context.Context, r *v1.SetupRequest) (*v1.Node, error) {
	if err := s.node.Setup(r.Name); err != nil {
		return nil, asConnect(err)
	}
	return s.nodeOf(s.node.Status()), nil
}

// StayOpen changes nothing: that it was called is what it tells.
func (s *service) StayOpen(context.Context, *v1.StayOpenRequest) (*v1.StayOpenResponse, error) {
	return &v1.StayOpenResponse{}, nil
}

func (s *service) NewContactLink(context.Context, *v1.NewContactLinkRequest) (*v1.ContactLink, error) {
	l, err := s.node.NewContactLink()
	if err != nil {
		return nil, asConnect(err)
	}
	picture, err := qrPicture(l.Text)
	if err != nil {
		return nil, asConnect(err)
	}
	return &v1.ContactLink{Link: l.Text, ExpiresAt: l.Expiry, QrPngBase64: picture}, nil
}

func (s *service) AddFriend(_ context.Context, r *v1.AddFriendRequest) (*v1.Friend, error) {
	if r.Link == "" {
		return nil, asConnect(&Error{Reason: ReasonEmpty, Subject: "link"})
	}
	f, err := s.node.AddFriend(r.Link)
	if err != nil {
		return nil, asConnect(err)
	}
	return friendOf(f), nil
}

func (s *service) ListFriends(context.Context, *v1.ListFriendsRequest) (*v1.ListFriendsResponse, error) {
	list, err := s.node.Friends()
	if err != nil {
		return nil, asConnect(err)
	}
	answer := &v1.ListFriendsResponse{}
	for _, f := range list {
		answer.Friends = append(answer.Friends, friendOf(f))
	}
	return answer, nil
}

func (s *service) AcceptFriend(_ context.Context, r *v1.AcceptFriendRequest) (*v1.Friend, error) {
	p, err := s.other(r.Person)
	if err != nil {
		return nil, err
	}
	f, err := s.node.AcceptFriend(p)
	if err != nil {
		return nil, asConnect(err)
	}
	return friendOf(f), nil
}

func (s *service) DeclineFriend(_ context.Context, r *v1.DeclineFriendRequest) (*v1.DeclineFriendResponse, error) {
	p, err := s.other(r.Person)
	if err != nil {
		return nil, err
	}
	if err := s.node.DeclineFriend(p); err != nil {
		return nil, asConnect(err)
	}
	return &v1.DeclineFriendResponse{}, nil
}

func (s *service) BlockFriend(_ context.Context, r *v1.BlockFriendRequest) (*v1.Friend, error) {
	p, err := s.other(r.Person)
	if err != nil {
		return nil, err
	}
	f, err := s.node.BlockFriend(p)
	if err != nil {
		return nil, asConnect(err)
	}
	return friendOf(f), nil
}

// person, other, others and chat find what a request names; their errors are
// ready to be answered.
func (s *service) person(ref string) (wire.PersonID, error) {
	if ref == "" {
		return wire.PersonID{}, asConnect(&Error{Reason: ReasonEmpty, Subject: "person"})
	}
	p, err := s.node.FindPerson(ref)
	return p, asConnect(err)
}

// other is person, where it may not be oneself.
func (s *service) other(ref string) (wire.PersonID, error) {
	p, err := s.person(ref)
	if err == nil && p == s.node.Status().Me.ID {
		return wire.PersonID{}, asConnect(&Error{Reason: ReasonSelf})
	}
	return p, err
}

func (s *service) others(refs []string) ([]wire.PersonID, error) {
	var list []wire.PersonID
	for _, ref := range refs {
		p, err := s.other(ref)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (s *service) chat(ref, field string) (wire.GroupID, error) {
	if ref == "" {
		return wire.GroupID{}, asConnect(&Error{Reason: ReasonEmpty, Subject: field})
	}
	g, err := s.node.FindChat(ref)
	return g, asConnect(err)
}
