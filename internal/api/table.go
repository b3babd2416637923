package api

import "connectrpc.com/connect"

// explained is a row: {} in the sentence is what the request named.
type explained struct {
	code           connect.Code
	sentence, hint string
}

// table says what people read: what went wrong and why, then what to do. Every
// Reason of the packages below has a row; a test reads their source.
var table = map[string]explained{
	"api/code":        {connect.CodePermissionDenied, "This login was used or is too old.", "Run kith open in a terminal for a new one."},
	"api/many-codes":  {connect.CodeResourceExhausted, "Too many wrong logins within a minute.", "Wait a minute, or run kith open in a terminal for a right one."},
	"api/token":       {connect.CodeUnauthenticated, "This page is locked.", "Run kith open in a terminal."},
	"api/socket":      {connect.CodePermissionDenied, "This is for the command line alone.", "Use kith in a terminal."},
	"api/cursor":      {connect.CodeInvalidArgument, "That is no place in a chat.", "Use a cursor that an earlier answer gave."},
	"api/limit":       {connect.CodeInvalidArgument, "One answer holds 1 to 500 messages.", "Ask for fewer, and then for those before them."},
	"api/role":        {connect.CodeInvalidArgument, "A role is member or admin.", "Name one of them."},
	"api/empty":       {connect.CodeInvalidArgument, "The request does not say {}.", "Name it."},
	"api/web":         {connect.CodeInvalidArgument, "The page is for this machine alone, and {} is no address of it.", "Use localhost:PORT; from another machine, use ssh -L."},
	"api/port":        {connect.CodeFailedPrecondition, "The page's port {} is in use by another program.", "Choose another with --web localhost:PORT, or leave --web out."},
	"api/running":     {connect.CodeFailedPrecondition, "Another Kith is running on this home.", "Use that one, or end it first; another identity needs another --home."},
	"api/path":        {connect.CodeFailedPrecondition, "The path of the home is too long for a socket in it: {}.", "Choose a shorter --home."},
	"api/not-running": {connect.CodeUnavailable, "Kith is not running on the home {}.", "Start it with: kith run"},

	"api/self":   {connect.CodeInvalidArgument, "This is you.", "Name somebody else."},
	"api/notes":  {connect.CodeFailedPrecondition, "Your notes to yourself are neither left nor deleted.", "They stay as long as this home does."},
	"api/direct": {connect.CodeFailedPrecondition, "A chat of two people is not deleted.", "To hear no more of somebody: kith friend block, or Block in the page."},
	"api/text":   {connect.CodeInvalidArgument, "This is no UTF-8 text, and others could not read it.", "Convert it first, with iconv for example."},

	"api/gone": {connect.CodeUnavailable, "Kith stopped while this was under way.", "Start it again with kith run, and look whether it was done."},

	"node/no-identity":    {connect.CodeFailedPrecondition, "Nobody is here yet.", "Give yourself a name: in the page, or with kith init."},
	"node/identity":       {connect.CodeAlreadyExists, "Somebody lives in this home already.", "Another identity needs another home: --home DIR."},
	"node/unknown":        {connect.CodeNotFound, "Nothing and nobody here is called {}.", "See kith friend list and kith group list, or give the id."},
	"node/ambiguous":      {connect.CodeInvalidArgument, "{} could be several.", "Give more of the id, which --json shows."},
	"node/not-friend":     {connect.CodeFailedPrecondition, "{} is no friend of yours, and only friends can be added.", "Send them your link, or open theirs."},
	"node/no-package":     {connect.CodeFailedPrecondition, "{} cannot be added yet: their keys for new groups come the next time you are both online.", "Try again then. If it does not help, their Kith is of an older version and has to be updated first."},
	"node/friend-already": {connect.CodeAlreadyExists, "{} is your friend already.", "There is nothing to do."},
	"node/own-link":       {connect.CodeInvalidArgument, "This is your own contact link.", "Send it to somebody else, and open the one they send you."},
	"node/link":           {connect.CodeInvalidArgument, "This contact link cannot be read.", "Copy it again, whole, or ask for a new one."},
	"node/link-expired":   {connect.CodeFailedPrecondition, "This contact link is too old.", "Ask your friend for a new one."},
	"node/link-used":      {connect.CodeFailedPrecondition, "Nobody answers to this contact link any more: it was used already.", "Ask your friend for a new one."},
	"node/not-asking":     {connect.CodeFailedPrecondition, "{} does not ask to be your friend.", "See kith friend requests."},
	"node/not-invited":    {connect.CodeFailedPrecondition, "There is no invitation to {} that waits for an answer.", "See kith group list."},
	"node/still-in":       {connect.CodeFailedPrecondition, "You are still in {}.", "Leave it first: kith group leave."},
	"node/full":           {connect.CodeResourceExhausted, "The disk is full, so this was not kept.", "Make space and try again; nothing stored before is lost."},
	"node/stopping":       {connect.CodeUnavailable, "Kith is stopping.", "Start it again with: kith run"},
	"node/blocked":        {connect.CodeFailedPrecondition, "You blocked {}.", "To take it back: kith friend accept, or Unblock in the page."},

	"group/nothing":    {connect.CodeFailedPrecondition, "There is nothing to be answered in this chat.", "It may have been answered elsewhere."},
	"group/pending":    {connect.CodeUnavailable, "Somebody's removal, made while the group was split, has to be finished first, and not by this device.", "Try again once another member is connected."},
	"group/role":       {connect.CodePermissionDenied, "Only an admin can do this.", "Ask an admin of the group."},
	"group/unsettled":  {connect.CodeFailedPrecondition, "Too many changes wait to be settled by those who vote.", "Try again in a minute or two."},
	"group/not-active": {connect.CodeFailedPrecondition, "You are not in this chat: invited, left or removed.", "Accept the invitation, or ask a member to add you."},
	"group/no-keys":    {connect.CodeFailedPrecondition, "This device has no keys for this chat now.", "It gets new ones by itself, once it and another member are connected."},
	"group/replaced":   {connect.CodeFailedPrecondition, "Another copy of this device took its place in this chat.", "Go on with that copy. If there is none, ask an admin to remove you and add you again."},
	"group/member":     {connect.CodeAlreadyExists, "They are in this group already, or invited.", "There is nothing to do."},
	"group/no-member":  {connect.CodeNotFound, "They are not in this group.", "See kith group show."},
	"group/self":       {connect.CodeInvalidArgument, "Nobody removes themselves.", "Leave instead: kith group leave."},
	"group/direct":     {connect.CodeFailedPrecondition, "A chat of two people stays as it is.", "Make a group: kith group create."},
	"group/successor":  {connect.CodeFailedPrecondition, "You are the last admin.", "Say who takes over: kith group leave GROUP --successor PERSON."},
	"group/alone":      {connect.CodeFailedPrecondition, "Nobody else is in this group.", "Delete it instead: kith group delete."},
	"group/content":    {connect.CodeInvalidArgument, "This cannot be sent: it is empty, over 64 KiB, or no text.", "Write something shorter, as text."},
	"group/title":      {connect.CodeInvalidArgument, "This cannot be a title: it is empty, over 64 characters, begins or ends with a space, or holds characters that cannot be seen.", "Choose another."},
	"group/package":    {connect.CodeFailedPrecondition, "They cannot be added with what their program sent last.", "Try again when both programs are running."},
	"group/rule":       {connect.CodeFailedPrecondition, "The rules of the group do not allow this.", "See kith group show and kith group chain."},
	"group/invitation": {connect.CodeFailedPrecondition, "This invitation does not check out.", "Ask for a new one."},
	"group/older":      {connect.CodeFailedPrecondition, "A member's program is too old for this: it would have to stop.", "Ask everybody to update Kith, and try again after they were here."},
	"group/newer":      {connect.CodeFailedPrecondition, "This group needs a newer version of Kith; nothing is lost.", "Update the program."},
	"group/stored":     {connect.CodeDataLoss, "What is stored of this chat does not fit together.", "Keep a copy of the home folder, and report this line."},

	"chain/kind":    {connect.CodeInvalidArgument, "This file holds no chain of a group.", "Ask for one made with kith chain export."},
	"chain/form":    {connect.CodeDataLoss, "The chain file is cut short, or was changed.", "Ask for it again, whole."},
	"chain/parent":  {connect.CodeDataLoss, "The chain is not valid: a block stands on one that is not in the file.", "Do not rely on it; ask for a whole one."},
	"chain/stray":   {connect.CodeDataLoss, "The chain file holds a name, or a proof of one, that no block of it commits to.", "Do not rely on its names; ask for another file."},
	"chain/votes":   {connect.CodeDataLoss, "The chain is valid, but the votes with it do not settle what the file says.", "Do not rely on it; ask for another file."},
	"chain/invalid": {connect.CodeDataLoss, "The chain is not valid: {}.", "Do not rely on it: somebody made or changed it against the rules."},
	"chain/newer":   {connect.CodeFailedPrecondition, "This chain needs a newer version of Kith.", "Update the program."},

	"identity/name-empty":   {connect.CodeInvalidArgument, "The name is empty.", "Give one with at least one visible character."},
	"identity/name-long":    {connect.CodeInvalidArgument, "The name has more than 64 characters and would not fit on a line.", "Shorten it."},
	"identity/name-text":    {connect.CodeInvalidArgument, "The name is not valid UTF-8 text and could not be shown.", "Type it again."},
	"identity/name-control": {connect.CodeInvalidArgument, "The name holds a character that cannot be seen, by which names can be faked.", "Remove it."},
	"identity/name-space":   {connect.CodeInvalidArgument, "The name begins or ends with a space, by which names can be faked.", "Remove it."},
	"identity/phrase-count": {connect.CodeInvalidArgument, "A phrase has 24 words, and this one has not.", "Write all words, with spaces between them."},
	"identity/phrase-word":  {connect.CodeInvalidArgument, "A word is not in the list of words.", "Compare it with your note."},
	"identity/phrase-sum":   {connect.CodeInvalidArgument, "All words are in the list but do not belong together.", "Compare each, and their order, with your note."},
	"identity/link-text":    {connect.CodeInvalidArgument, "This is no contact link: it does not begin with kith:", "Copy the whole link."},
	"identity/link-long":    {connect.CodeInvalidArgument, "This is longer than any contact link.", "Copy the link alone, without text around it."},
	"identity/link-short":   {connect.CodeInvalidArgument, "The contact link is cut short.", "Copy it again, whole."},
	"identity/link-typo":    {connect.CodeInvalidArgument, "The contact link does not match its checksum: a character is wrong or missing.", "Copy it again, whole, instead of typing it."},
	"identity/link-version": {connect.CodeInvalidArgument, "The contact link was made by a newer version of Kith.", "Update the program."},
	"identity/link-expired": {connect.CodeFailedPrecondition, "This contact link is too old.", "Ask your friend for a new one."},
	"identity/link-form":    {connect.CodeInvalidArgument, "The contact link is made wrongly.", "Ask your friend for a new one."},
	"identity/link-host":    {connect.CodeInvalidArgument, "The contact link holds an address of a kind that links do not carry.", "Ask your friend for a new one."},

	"store/in-use":           {connect.CodeFailedPrecondition, "Another Kith is running on this home.", "Use that one, or end it first; another identity needs another --home."},
	"store/wrong-key":        {connect.CodeFailedPrecondition, "The database does not open with this key: it belongs to another home, or it needs --passphrase-file.", "Give what it was made with; nothing was changed."},
	"store/damaged":          {connect.CodeDataLoss, "The database is damaged, and nothing was changed.", "Copy the home folder as it is, then restore a backup, or begin anew in another --home."},
	"store/newer":            {connect.CodeFailedPrecondition, "A newer version of Kith wrote this home.", "Update the program."},
	"store/full":             {connect.CodeResourceExhausted, "The disk is full, so this was not kept.", "Make space and try again; nothing stored before is lost."},
	"store/closed":           {connect.CodeUnavailable, "Kith is stopping.", "Start it again with: kith run"},
	"store/permissions":      {connect.CodeFailedPrecondition, "Others on this machine may read the key or the home.", "Make it yours alone: chmod -R go= on the home folder."},
	"store/key-missing":      {connect.CodeFailedPrecondition, "The database was not made with this kind of key, or its key is gone: vault.json with --passphrase-file, kith.key without.", "Start it the way it was made, or put that file back from your copy of the home."},
	"store/key-file":         {connect.CodeFailedPrecondition, "The key file of the database cannot be read as one.", "Put kith.key or vault.json back from your copy of the home."},
	"store/wrong-passphrase": {connect.CodeFailedPrecondition, "The passphrase is wrong, and nothing was changed.", "Try again; there is no way around a forgotten one."},
	"store/no-passphrase":    {connect.CodeFailedPrecondition, "The passphrase is empty.", "Put one into the file that --passphrase-file names."},
	"store/range":            {connect.CodeInvalidArgument, "A number or a text is longer than what can be kept.", "Make it smaller."},

	"link/port-taken": {connect.CodeFailedPrecondition, "The port on which others reach you is in use by another program.", "Choose another with --listen HOST:PORT, or leave --listen out."},

	"file/none":       {connect.CodeFailedPrecondition, "There is no {}.", "Check the path."},
	"file/exists":     {connect.CodeAlreadyExists, "There is a file {} already, and nothing was written.", "Choose another name, or move it away."},
	"file/permission": {connect.CodeFailedPrecondition, "Kith may not use {}.", "Check whom it belongs to, and its permissions."},
	"file/folder":     {connect.CodeFailedPrecondition, "{} is a file, where a folder is needed.", "Choose another folder: --home DIR."},

	"call/canceled": {connect.CodeCanceled, "The call was given up.", "Try again."},
	"call/deadline": {connect.CodeDeadlineExceeded, "It took too long.", "Try again."},
}
