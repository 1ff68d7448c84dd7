namespace Meanwhile.Feeds;

/// <summary>Whether the program is connected and subscribed; with a path, a file says so to health checks as long as it exists.</summary>
internal sealed class ReadyFile
{
    private readonly string? _path;
    private volatile bool _isReady;

    /// <summary>Not ready at first, whatever an earlier process has left.</summary>
    public ReadyFile(string? path)
    {
        _path = path;
        Set(false);
    }

    /// <summary>Connected and subscribed.</summary>
    public bool IsReady => _isReady;

    /// <summary>Makes the file, or removes it.</summary>
    public void Set(bool ready)
    {
        _isReady = ready;
        if (_path is null)
            return;
        try
        {
            if (ready)
                File.WriteAllBytes(_path, []);
            else
                File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"--ready-file {_path} cannot be written ({e.Message}): expected a path in a folder that exists", inner: e);
        }
    }
}
