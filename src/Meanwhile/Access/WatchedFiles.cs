using Meanwhile.Logging;
using Microsoft.Extensions.Logging;

namespace Meanwhile.Access;

/// <summary>
/// What files hold, read again when that has changed. It is the content that is compared, so that it does not matter how they are changed: in place, by a move, or
/// by a link above them, as Kubernetes does. What cannot be understood is said, and what was in force stays in force.
/// </summary>
/// <typeparam name="T">What they are read as.</typeparam>
internal sealed class WatchedFiles<T>
    where T : class
{
    private readonly Lock _gate = new();
    private readonly string[] _paths;
    private readonly Func<string[], T> _parse;
    private string _seen;
    private string _done;
    private volatile T _current;

    /// <summary>Reads files.</summary>
    /// <param name="paths">Where they are.</param>
    /// <param name="parse">Reads their texts; throws a <see cref="FormatException"/> that says what is wrong where, and what was expected.</param>
    /// <exception cref="UserException">They cannot be read or understood.</exception>
    public WatchedFiles(IEnumerable<string> paths, Func<string[], T> parse)
    {
        (_paths, _parse) = ([.. paths], parse);
        try
        {
            var texts = Read();
            _current = parse(texts);
            _seen = _done = KeyOf(texts);
        }
        catch (FormatException e)
        {
            throw new UserException($"{this}: {e.Message}", ExitCode.Usage, e);
        }
    }

    /// <summary>What is in force.</summary>
    public T Current => _current;

    /// <summary>Reads them again if they have changed. To be called now and then.</summary>
    public void Check(ILogger logger) => Look(logger, isTold: false);

    /// <summary>Reads them again at once, as somebody has said that they are complete, and says what came of it.</summary>
    public void Reload(ILogger logger) => Look(logger, isTold: true);

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", _paths);

    private void Look(ILogger logger, bool isTold)
    {
        lock (_gate)
        {
            string key;
            string[]? texts = null;
            FormatException? problem = null;
            try
            {
                texts = Read();
                key = KeyOf(texts);
            }
            catch (FormatException e)
            {
                (problem, key) = (e, e.Message);
            }
            var (isSettled, isNew) = (key == _seen, key != _done); // Seen twice alike: who writes it has finished.
            _seen = key;
            if (!isTold && !(isSettled && isNew))
                return;
            _done = key;
            TakeIn(logger, texts, problem, isNew);
        }
    }

    private void TakeIn(ILogger logger, string[]? texts, FormatException? problem, bool isNew)
    {
        try
        {
            var read = _parse(texts ?? throw problem!);
            if (isNew)
            {
                _current = read;
                Log.Reloaded(logger, this);
            }
            else
            {
                Log.NotChanged(logger, this);
            }
        }
        catch (FormatException e)
        {
            Log.NotReloaded(logger, this, e.Message);
        }
    }

    private static string KeyOf(string[] texts) => string.Join('\0', texts);

    private static string Read(string path, bool hasSiblings)
    {
        try
        {
            return Utf8Text.Read(path);
        }
        catch (FormatException e)
        {
            throw new FormatException($"{(hasSiblings ? $"in {path} " : "")}{e.Message}: expected a text in UTF-8", e);
        }
    }

    private string[] Read()
    {
        try
        {
            return [.. _paths.Select(path => Read(path, _paths.Length > 1))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"cannot be read ({e.Message}): expected a file that this user may read", e);
        }
    }
}
