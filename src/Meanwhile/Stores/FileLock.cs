namespace Meanwhile.Stores;

/// <summary>Keeps a second aggregator away from a database file: a lock of the operating system's on a file beside it, gone with the process.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Takes the lock beside a file.</summary>
    /// <exception cref="UserException">Somebody else holds it; the message says who.</exception>
    public static FileLock Take(string path)
    {
        var lockPath = path + ".lock";
        try
        {
            var file = new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            file.SetLength(0);
            file.Write(System.Text.Encoding.UTF8.GetBytes($"process {Environment.ProcessId} on {Environment.MachineName}"));
            file.Flush();
            return new FileLock(file);
        }
        catch (IOException e) when (File.Exists(lockPath))
        {
            throw new UserException($"{path} is in use by another aggregator ({ReadHolder(lockPath)}): stop that one, or give this one a --db of its own", inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path}: its folder cannot be written to ({e.Message}): expected a folder for the database and its lock", inner: e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string ReadHolder(string lockPath)
    {
        try
        {
            using var reader = new StreamReader(new FileStream(lockPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return reader.ReadToEnd() is { Length: > 0 } holder ? holder : "unknown";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
