package main

import (
	"slices"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

// Completion of names, in shells that ask for it. Where nothing runs there is
// nothing to offer.

func (p *program) completeChat(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || p.start() != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, err := call(c.Context(), p.client().ListChats, &v1.ListChatsRequest{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var titles []string
	for _, chat := range list.Chats {
		if chat.Title != "" {
			titles = append(titles, oneLine(chat.Title))
		}
	}
	return titles, cobra.ShellCompDirectiveNoFileComp
}

func (p *program) completePerson(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	if p.start() != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, err := call(c.Context(), p.client().ListFriends, &v1.ListFriendsRequest{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, f := range list.Friends {
		if f.Person.GetName() != "" {
			names = append(names, oneLine(f.Person.GetName()))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeChatOrPerson completes CHAT|PERSON; a direct chat is titled as the person is named.
func (p *program) completeChatOrPerson(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	chats, _ := p.completeChat(c, args, begun)
	if len(args) > 0 {
		return chats, cobra.ShellCompDirectiveNoFileComp
	}
	people, _ := p.completePerson(c, args, begun)
	for _, name := range people {
		if !slices.Contains(chats, name) {
			chats = append(chats, name)
		}
	}
	return chats, cobra.ShellCompDirectiveNoFileComp
}

// completeChatThenPerson completes GROUP PERSON...
func (p *program) completeChatThenPerson(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return p.completeChat(c, args, begun)
	}
	return p.completePerson(c, args, begun)
}
