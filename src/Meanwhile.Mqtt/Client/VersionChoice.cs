using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Client;

/// <summary>Whether an attempt failed because the server does not know MQTT 5.0.</summary>
internal enum VersionDoubt
{
    /// <summary>It failed because of something else.</summary>
    None,

    /// <summary>The connection ended between CONNECT and its answer.</summary>
    Suspected,

    /// <summary>The server says so, or answers as 3.1.1 has it.</summary>
    Proven,
}

/// <summary>
/// Every connection begins with MQTT 5.0, and goes on with 3.1.1 where the server has shown that it knows no more. One that closes a connection shows nothing
/// yet: it may have been restarted. And one that was old may be new by the next connection.
/// </summary>
internal sealed class VersionChoice
{
    private const int MostEndings = 3;
    private int _endings; // In a row, each after a CONNECT of 5.0 and before its answer.
    private bool _isOld;

    /// <summary>An attempt with 5.0 has failed. Whether one with 3.1.1 should follow at once.</summary>
    public bool FallsBack(VersionDoubt doubt)
    {
        _endings = doubt switch
        {
            VersionDoubt.Proven => MostEndings,
            VersionDoubt.Suspected => _isOld ? MostEndings : _endings + 1,
            _ => 0,
        };
        if (_endings < MostEndings)
            return false;
        _endings = 0; // If 3.1.1 fares no better, it was not the version.
        return true;
    }

    /// <summary>The server has accepted a connection.</summary>
    public void Accepted(ProtocolVersion version) => (_isOld, _endings) = (version != ProtocolVersion.V5, 0);
}
