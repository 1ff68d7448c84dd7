namespace Meanwhile.Stores;

/// <summary>Files for their owner alone: who can read a store reads everything that was published. One that is there already keeps its mode.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Opens one for reading and writing.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static FileStream Open(string path, FileMode mode, FileShare share = FileShare.None)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnersOnly;
        return new FileStream(path, options);
    }

    /// <summary>The file itself where the path is a link to it: what belongs beside a file is found by all who use it, whatever they call it.</summary>
    /// <exception cref="UserException">The link leads nowhere.</exception>
    public static string Resolve(string path)
    {
        try
        {
            var file = new FileInfo(path);
            return file.LinkTarget is null ? path : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path}: the link cannot be followed ({e.Message}): expected a link to a file", inner: e);
        }
    }
}
