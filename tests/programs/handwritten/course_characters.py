import numpy as np


def softmax(x): 
    e=np.exp(x-np.max(x,axis=0)); return e/e.sum(axis=0)
def rnn_forward(X, Y, a0, parameters, vocab_size=6):
    x,a,y_hat={}, {}, {}
    a[-1]=np.copy(a0); loss=0
    for t in range(len(X)):
        x[t]=np.zeros((vocab_size,1))
        if X[t] is not None: x[t][X[t]]=1
        a[t]=np.tanh(np.dot(parameters['Wax'],x[t])+np.dot(parameters['Waa'],a[t-1])+parameters['b'])
        y_hat[t]=softmax(np.dot(parameters['Wya'],a[t])+parameters['by'])
        loss-=np.log(y_hat[t][Y[t],0] + 1e-9)
    cache=(y_hat,a,x)
    return loss, cache
def rnn_step_backward(dy, gradients, parameters, x, a, a_prev):
    gradients['dWya']+=np.dot(dy,a.T); gradients['dby']+=dy
    da=np.dot(parameters['Wya'].T,dy)+gradients['da_next']
    daraw=(1-a*a)*da
    gradients['db']+=daraw; gradients['dWax']+=np.dot(daraw,x.T); gradients['dWaa']+=np.dot(daraw,a_prev.T)
    gradients['da_next']=np.dot(parameters['Waa'].T,daraw)
    return gradients
def rnn_backward(X,Y,parameters,cache):
    gradients={}
    (y_hat,a,x)=cache
    Waa,Wax,Wya,by,b=parameters['Waa'],parameters['Wax'],parameters['Wya'],parameters['by'],parameters['b']
    gradients['dWax'],gradients['dWaa'],gradients['dWya']=np.zeros_like(Wax),np.zeros_like(Waa),np.zeros_like(Wya)
    gradients['db'],gradients['dby']=np.zeros_like(b),np.zeros_like(by)
    gradients['da_next']=np.zeros_like(a[0])
    for t in reversed(range(len(X))):
        dy=np.copy(y_hat[t]); dy[Y[t]]-=1
        gradients=rnn_step_backward(dy,gradients,parameters,x[t],a[t],a[t-1])
    return gradients, a
