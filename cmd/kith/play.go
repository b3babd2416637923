package main

import (
	"context"

	v1 "kith/proto/kith/v1"
)

const demoTitle = "Harbour walk"

// demoLines is a conversation: who of the cast says what.
var demoLines = []struct {
	who  int
	text string
}{
	{0, "I made us a group for Saturday. No server has it: it is on our three machines, and nowhere else."},
	{1, "Nice. Harbour at ten, then along the water?"},
	{2, "Ten works. I bring coffee for three."},
	{0, "And if one of us is offline?"},
	{1, "Then they get it from whoever of us two is on."},
	{2, "So this works without anybody's cloud. See you at the blue crane."},
}

// play has the cast become friends by links, make a group, and talk: everything
// through their own nodes' calls, as any client would. A kept demonstration has
// it all already.
func play(ctx context.Context, cast []*actor) error {
	for _, a := range cast {
		if err := a.setup(ctx); err != nil {
			return err
		}
	}
	ann := cast[0]
	if chat, err := call(ctx, ann.client.GetChat, &v1.GetChatRequest{Chat: demoTitle}); err == nil && len(chat.Members) == len(cast) {
		return nil
	}
	for _, other := range cast[1:] {
		if err := befriend(ctx, ann, other); err != nil {
			return err
		}
	}
	if err := gather(ctx, cast); err != nil {
		return err
	}
	for _, line := range demoLines {
		if err := say(ctx, cast, cast[line.who], line.text); err != nil {
			return err
		}
	}
	return nil
}

// befriend: b opens a's link, and a accepts.
func befriend(ctx context.Context, a, b *actor) error {
	l, err := call(ctx, a.client.NewContactLink, &v1.NewContactLinkRequest{})
	if err != nil {
		return err
	}
	if _, err := call(ctx, b.client.AddFriend, &v1.AddFriendRequest{Link: l.Link}); err != nil {
		return err
	}
	if err := await(ctx, b.name+"'s request", a.sees(b, v1.FriendState_FRIEND_STATE_ASKING)); err != nil {
		return err
	}
	if _, err := call(ctx, a.client.AcceptFriend, &v1.AcceptFriendRequest{Person: b.id}); err != nil {
		return err
	}
	return await(ctx, a.name+"'s answer", b.sees(a, v1.FriendState_FRIEND_STATE_FRIEND))
}

func (a *actor) sees(b *actor, state v1.FriendState) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		list, err := call(ctx, a.client.ListFriends, &v1.ListFriendsRequest{})
		if err != nil {
			return false, err
		}
		for _, f := range list.Friends {
			if f.Person.GetId() == b.id && f.State == state {
				return true, nil
			}
		}
		return false, nil
	}
}

// gather makes the group, and all others accept.
func gather(ctx context.Context, cast []*actor) error {
	var others []string
	for _, a := range cast[1:] {
		others = append(others, a.id)
	}
	chat, err := call(ctx, cast[0].client.CreateGroup, &v1.CreateGroupRequest{Title: demoTitle, Persons: others})
	if err != nil {
		return err
	}
	for _, a := range cast[1:] {
		err := await(ctx, a.name+"'s invitation", func(ctx context.Context) (bool, error) {
			c, err := a.find(ctx, chat.Id)
			return c != nil, err
		})
		if err != nil {
			return err
		}
		if _, err := call(ctx, a.client.AcceptGroup, &v1.AcceptGroupRequest{Group: chat.Id}); err != nil {
			return err
		}
	}
	for _, a := range cast {
		err := await(ctx, "everybody in "+a.name+"'s group", func(ctx context.Context) (bool, error) {
			c, err := a.find(ctx, chat.Id)
			return allIn(c, len(cast)), err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// find returns a chat, nil if it is not there yet.
func (a *actor) find(ctx context.Context, id string) (*v1.Chat, error) {
	list, err := call(ctx, a.client.ListChats, &v1.ListChatsRequest{})
	if err != nil {
		return nil, err
	}
	for _, c := range list.Chats {
		if c.Id == id {
			return c, nil
		}
	}
	return nil, nil
}

func allIn(c *v1.Chat, members int) bool {
	if c == nil || len(c.Members) != members {
		return false
	}
	for _, m := range c.Members {
		if !m.Accepted {
			return false
		}
	}
	return true
}

// say sends a line and waits until all have it, so that each answers the last.
func say(ctx context.Context, cast []*actor, who *actor, text string) error {
	m, err := call(ctx, who.client.Send, &v1.SendRequest{Chat: demoTitle, Text: text})
	if err != nil {
		return err
	}
	for _, a := range cast {
		err := await(ctx, who.name+"'s line at "+a.name, func(ctx context.Context) (bool, error) {
			list, err := call(ctx, a.client.ListMessages, &v1.ListMessagesRequest{Chat: m.ChatId})
			for _, got := range list.GetMessages() {
				if got.Id == m.Id {
					return true, err
				}
			}
			return false, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
