namespace Hosting.Grains.Storage;

/// <summary>PostgreSQL did not confirm a write in time: it may have happened or not. Reload before acting on it.</summary>
[GenerateSerializer, Alias("hosting.StorageUnavailableException")]
public sealed class StorageUnavailableException : Exception
{
    /// <summary>For serializers.</summary>
    public StorageUnavailableException()
    {
    }

    /// <summary>Creates it.</summary>
    /// <param name="message">What happened and what an operator should do.</param>
    /// <param name="innerException">The last failure.</param>
    public StorageUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
