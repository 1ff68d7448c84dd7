namespace Meanwhile.Feeds;

/// <summary>Whether the program is connected and subscribed; with a path, a file says so to health checks as long as it exists.</summary>
internal sealed class ReadyFile
{
    private readonly string? _path;
    private readonly Action<bool>? _changed;
    private volatile bool _isReady;

    /// <summary>Not ready at first, whatever an earlier process has left.</summary>
    /// <param name="path">Null for no file.</param>
    /// <param name="changed">Called with each change, and at first.</param>
    public ReadyFile(string? path, Action<bool>? changed = null)
    {
        (_path, _changed) = (path, changed);
        Set(false);
    }

    /// <summary>Connected and subscribed.</summary>
    public bool IsReady => _isReady;

    /// <summary>Makes the file, or removes it.</summary>
    public void Set(bool ready)
    {
        _isReady = ready;
        _changed?.Invoke(ready);
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
