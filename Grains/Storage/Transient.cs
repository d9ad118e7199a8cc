using System.Net.Sockets;
using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>Tells failures that pass by themselves from those that do not.</summary>
internal static class Transient
{
    /// <summary>
    /// Whether repeating can help: the connection, the server or its role (a standby that is being promoted) is at fault,
    /// or two transactions were in each other's way; not what was asked for.
    /// </summary>
    public static bool Is(Exception exception) => exception switch
    {
        PostgresException e => IsTransientState(e.SqlState),
        NpgsqlException or TimeoutException or IOException or SocketException or OperationCanceledException => true,
        _ => false,
    };

    private static bool IsTransientState(string state) =>
        state[..2] is "08" or "40" or "53" or "57" or "58" || state is "25006" or "55P03";
}
