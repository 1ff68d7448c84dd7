using System.CommandLine;
using System.Text;
using Meanwhile.Access;
using Meanwhile.Logging;
using Meanwhile.Terminal;

namespace Meanwhile.Verbs;

/// <summary>Makes, changes and deletes users of the embedded broker.</summary>
internal static class PasswdVerb
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly Argument<string> Path = new("FILE") { Description = "of the users, for --users of the broker; made if it is missing" };
    private static readonly Argument<string> User = new("USER") { Description = "whose password" };
    private static readonly Option<bool> Delete = new("--delete") { Description = "take the user out" };

    public static Command Command()
    {
        var command = VerbContext.Command("passwd", "make a user of the embedded broker, change its password, or delete it", [Delete], RunAsync);
        command.Arguments.Add(Path);
        command.Arguments.Add(User);
        return command;
    }

    private static async Task RunAsync(VerbContext context, CancellationToken stop)
    {
        var (path, user) = (context.CommandLine.GetValue(Path)!, context.CommandLine.GetValue(User)!);
        if (!UserFile.IsName(user))
            throw new UserException($"USER: '{PlainFormatter.OneLine(user)}' cannot be a user's name: expected a text without colons that does not begin with #", ExitCode.Usage);
        var text = Read(path);
        var isKnown = UsersIn(text, path).ContainsKey(user);
        var isDeleted = context.CommandLine.GetValue(Delete);
        if (isDeleted && !isKnown)
            throw new UserException($"{path}: there is no user '{user}' that could be deleted: expected a name out of this file");
        var hash = isDeleted ? null : PasswordHash.Of(await AskAsync(user, stop));
        Write(path, UserFile.With(text, user, hash));
        Log.UserChanged(context.Logger, path, user, isDeleted ? "deleted" : isKnown ? "has a new password" : "added");
    }

    // Who is asked may not answer: the read itself cannot be cancelled.
    private static async Task<byte[]> AskAsync(string user, CancellationToken stop)
    {
        try
        {
            return await Task.Run(() => PasswordPrompt.Read(user), CancellationToken.None).WaitAsync(stop);
        }
        catch (OperationCanceledException e) when (stop.IsCancellationRequested)
        {
            throw new UserException("no password was given: nothing is changed", inner: e);
        }
    }

    private static IReadOnlyDictionary<string, PasswordHash> UsersIn(string text, string path)
    {
        try
        {
            return UserFile.Parse(text);
        }
        catch (FormatException e)
        {
            throw new UserException($"{path}: {e.Message}", ExitCode.Usage, e);
        }
    }

    private static string Read(string path)
    {
        try
        {
            return File.Exists(path) ? Utf8Text.Read(path) : "";
        }
        catch (FormatException e)
        {
            throw new UserException($"{path}: {e.Message}: expected a text in UTF-8", ExitCode.Usage, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, e);
        }
    }

    // A broker that reads it meanwhile sees the old file or the new one.
    private static void Write(string path, string text)
    {
        try
        {
            var target = System.IO.Path.GetFullPath(path); // What a link is relative to is found by a full path only.
            if (File.Exists(target))
                target = File.ResolveLinkTarget(target, returnFinalTarget: true)?.FullName ?? target;
            var temporary = target + ".part";
            File.Delete(temporary);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = File.Exists(target) ? File.GetUnixFileMode(target) : OwnersOnly;
            using (var file = new FileStream(temporary, options))
            {
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, target, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, e);
        }
    }

    private static UserException Unusable(string path, Exception e) =>
        new($"{path} cannot be read or written ({e.Message}): expected a file of users, or a place for one", inner: e);
}
