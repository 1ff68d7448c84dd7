using System.Text;
using Meanwhile.Access;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.Access;

/// <summary>What clients may do by the files of the moment, of which an earlier process has left something.</summary>
public sealed class AccessControlTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    // Nobody knows whose it is; of a client without a name; of a user who is in the file, who was taken out, and who has no rule.
    public static TheoryData<string, string?, bool, bool> Left => new()
    {
        // Which files, and what may be done with the topic t: read and written.
        { "", null, true, true },
        { "", "", true, true },
        { "", "ada", true, true },
        { "acl", null, true, false },
        { "acl", "", true, false },
        { "acl", "ada", false, true },
        { "acl", "bob", false, false },
        { "users", null, true, true },
        { "users", "", false, false },
        { "users", "ada", true, true },
        { "users", "gone", false, false },
        { "users acl", null, true, false },
        { "users acl", "", false, false },
        { "users acl", "ada", false, true },
        { "users acl", "bob", false, false },
        { "users acl", "gone", false, false },
        { "users acl anonymous", "", true, false },
        { "users anonymous", "", true, true },
        { "certificates", null, true, true },
        { "certificates", "", true, true },
        { "certificates", "gone", true, true },
        { "certificates acl", null, true, false },
        { "certificates acl", "gone", false, true },
        { "certificates acl", "bob", false, false },
        { "certificates users acl", "gone", false, true }, // It may have come with a certificate.
        { "certificates users acl", "bob", false, false },
    };

    [Theory]
    [MemberData(nameof(Left))]
    public void What_an_earlier_process_has_left_may_do_what_its_user_may_do_now(string files, string? user, bool mayRead, bool mayPublish)
    {
        using var accessControl = Open(files, out _, out _);
        var permissions = accessControl.PermissionsOf(user, "c");
        Assert.Equal((mayRead, mayPublish), (permissions.MayRead("t"), permissions.MayPublish("t")));
    }

    [Fact]
    public void A_change_of_the_files_counts_at_once()
    {
        using var accessControl = Open("users acl", out var users, out var accessList);
        var permissions = accessControl.PermissionsOf("ada", "c");
        Assert.True(permissions.MayPublish("t"));

        Write("acl", "user ada\ntopic read #\n");
        accessList!.Reload(new ListLogger());
        Assert.True(!permissions.MayPublish("t") && permissions.MayRead("t") && permissions.MaySubscribe("#"));

        WriteUsers("bob");
        users!.Reload(new ListLogger());
        Assert.False(permissions.MayPublish("t") || permissions.MayRead("t") || permissions.MaySubscribe("#"));

        WriteUsers("bob", "ada");
        users.Reload(new ListLogger());
        Assert.True(permissions.MayRead("t"));
    }

    public void Dispose() => _folder.Dispose();

    private AccessControl Open(string files, out WatchedFiles<IReadOnlyDictionary<string, PasswordHash>>? users, out WatchedFiles<AccessList>? accessList)
    {
        var words = files.Split(' ');
        WriteUsers("ada", "bob");
        Write("acl", "topic read t\nuser ada\ntopic write t\nuser gone\ntopic write t\n");
        users = words.Contains("users") ? new([_folder["users"]], texts => UserFile.Parse(texts[0])) : null;
        accessList = words.Contains("acl") ? new([_folder["acl"]], texts => AccessList.Parse(texts[0])) : null;
        return new AccessControl(users, accessList, words.Contains("anonymous"), words.Contains("certificates"), TimeProvider.System);
    }

    private void WriteUsers(params string[] users) => Write("users", string.Concat(users.Select(user => $"{user}:{Hash(user)}\n")));

    private static PasswordHash Hash(string password) => PasswordHash.Of(Encoding.UTF8.GetBytes(password), iterations: 1);

    private void Write(string name, string text) => File.WriteAllText(_folder[name], text);
}
