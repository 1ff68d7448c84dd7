namespace Meanwhile.Stores.Sqlite;

/// <summary>
/// A file in a folder that cannot be written to. SQLite needs files of its own beside a database, also to read it; without them it can read no more than what is
/// in the file itself, and relies on it that nobody changes that.
/// </summary>
internal sealed class FrozenFile
{
    // What was committed and is not in the file yet; what has to be undone in it.
    private static readonly string[] Companions = ["-wal", "-journal"];

    private readonly string _path;
    private readonly (long Length, DateTime Written) _state;

    private FrozenFile(string path) => (_path, _state) = (path, StateOf(path));

    /// <summary>Whether a file is one.</summary>
    public static bool IsOne(string path)
    {
        try
        {
            var probe = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetRandomFileName());
            new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Opens it.</summary>
    /// <exception cref="StoreException">Something beside it belongs to its content.</exception>
    public static FrozenFile Open(string path, out Database database)
    {
        foreach (var companion in Companions.Select(suffix => new FileInfo(path + suffix)))
        {
            if (companion is { Exists: true, Length: > 0 })
                throw new StoreException($"{path}: its folder cannot be written to, and {companion.Name} beside it holds changes that are not in the file yet: copy both to a folder that can be written to, and read the copy", mayHeal: false);
        }
        var file = new FrozenFile(path);
        database = new Database(path, forReading: true, isFrozen: true);
        return file;
    }

    /// <summary>Makes sure that what was read is of one moment.</summary>
    /// <exception cref="StoreException">Somebody has written to it by another way.</exception>
    public void CheckUnchanged()
    {
        if (StateOf(_path) != _state)
            throw new StoreException($"{_path} was written to while it was read, though its folder cannot be written to from here: try again, or read it where it is written", mayHeal: true);
    }

    private static (long Length, DateTime Written) StateOf(string path) => (new FileInfo(path).Length, File.GetLastWriteTimeUtc(path));
}
