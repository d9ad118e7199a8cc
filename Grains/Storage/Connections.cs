using Npgsql;

namespace Hosting.Grains.Storage;

/// <summary>How a silo connects to PostgreSQL.</summary>
public static class Connections
{
    /// <summary>A connection string with deadlines that no caller outlives, and without what makes a silo wait.</summary>
    public static NpgsqlConnectionStringBuilder Settings(string connectionString) => Reach(connectionString, commandSeconds: 5);

    /// <summary>The same for commands that take long, such as bringing the schema up to date.</summary>
    /// <param name="connectionString">PostgreSQL.</param>
    /// <param name="commandSeconds">How long a command may take.</param>
    public static NpgsqlConnectionStringBuilder Reach(string connectionString, int commandSeconds) => new(connectionString)
    {
        Timeout = 3,
        CommandTimeout = commandSeconds,
        CancellationTimeout = 1000,
        // To offer Kerberos encryption, the name of the host's address is looked up: 15 s where no DNS answers.
        GssEncryptionMode = GssEncryptionMode.Disable,
        // Of several hosts one that failed is passed over for 10 s otherwise, also when it is the only one that can write.
        HostRecheckSeconds = 1,
    };
}
